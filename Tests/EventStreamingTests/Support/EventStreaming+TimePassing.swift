import EventStreamingTesting

@testable import EventStreaming

extension EventStreaming {
    /// Lets time pass, in steps, until `isReached`.
    func pass(
        _ clock: ManualClock,
        until isReached: @escaping @Sendable (EventStreaming) async throws -> Bool
    ) async throws {
        try await inTime {
            while try await !isReached(self) {
                try Task.checkCancellation()
                if let deadline = clock.nextDeadline {
                    clock.advance(by: min(deadline - clock.uptime, .milliseconds(500)))
                }
                for _ in 0..<50 { await Task.yield() }
            }
        }
    }
}
