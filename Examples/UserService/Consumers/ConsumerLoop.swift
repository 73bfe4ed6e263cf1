import EventStreaming

/// A consumer that loops over the deliveries of a subscription.
protocol ConsumerLoop: Sendable {
    /// Works until the task is cancelled, or the service shuts down.
    func run() async throws
}

extension ConsumerLoop {
    /// As ``run()``, but that the task is cancelled is no error.
    func runUntilCancelled() async throws {
        do {
            try await run()
        } catch let error as EventStreamingError where error.code == .cancelled {
            return
        }
    }
}
