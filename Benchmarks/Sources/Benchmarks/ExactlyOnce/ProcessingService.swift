import EventStreaming

/// A service whose handler works through a stream that is full already.
enum ProcessingService {
    /// Runs a handler over all events of the stream, under a subscription of its own.
    ///
    /// - Parameters:
    ///   - count: How many events there are.
    ///   - turn: Which time it is; each has a subscription that begins at the beginning.
    ///   - configure: Adds the handler, which has to tell the tally of every event.
    /// - Returns: How many events a second were finished durably.
    static func rate(
        _ storage: EventStreamingStorage,
        of count: Int,
        turn: Int,
        _ configure: (inout SubscriptionConfiguration, HandledTally) -> Void
    ) async throws -> Double {
        let (tally, name) = (HandledTally(), "processing-\(turn)")
        let streaming = try EventStreaming(storage: storage) { streaming in
            streaming.options.codec = PacketCodec()
            streaming.addStream(BenchmarkWorkflow.self) { stream in
                stream.name = "events"
                stream.type = .persistent
            }
            streaming.addSubscription(name) { subscription in
                subscription.stream(BenchmarkWorkflow.self)
                subscription.include(StoredPacket.self)
                subscription.mode = .exclusive
                subscription.prefetch = DurableService.batch
                configure(&subscription, tally)
            }
        }
        let seconds = try await withEventStreaming(streaming) { streaming in
            // From the first event on: that the service starts is not measured.
            try await wait { tally.count > 0 }
            let watch = Stopwatch()
            try await wait { tally.count >= count }
            // What is handled last is not yet finished then.
            try await wait { try await streaming.progress(of: name).allSatisfy(\.isFinished) }
            return watch.seconds
        }
        guard tally.count == count, tally.sum == count * (count - 1) / 2 else {
            throw Problem("\(tally.count) events were handled instead of \(count), or others.")
        }
        return Double(count) / seconds
    }

    private static func wait(until isReached: () async throws -> Bool) async throws {
        while try await !isReached() {
            try await Task.sleep(for: .microseconds(500))
        }
    }
}
