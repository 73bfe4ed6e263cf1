package import EventStreaming

/// A service with a handler that ends the process at one of its events.
package enum TrapService {
    package static let subscription = "probe-trap"
    /// How many events there are.
    package static let count = 20
    /// The offset of the event that ends the process.
    package static let trap: Int64 = 7
    /// How often each event is tried.
    package static let attempts = 3

    /// Declares the stream and the subscription, which holds one event at a time: what a process holds when it ends counts
    /// as tried.
    package static func declare(
        in streaming: inout EventStreamingBuilder,
        _ handle: @escaping @Sendable (Delivery) async throws -> Void
    ) {
        streaming.addStream(ProbeWorkflow.self) { $0.type = .persistent }
        streaming.addSubscription(subscription) { configuration in
            configuration.stream(ProbeWorkflow.self)
            configuration.mode = .consumerGroup
            configuration.partitions = 4
            configuration.prefetch = 1
            configuration.retry.maximumAttempts = attempts
            configuration.retry.initialDelay = .milliseconds(20)
            configuration.consumerTimeout = .seconds(1)
            configuration.visibilityTimeout = .seconds(1)
            configuration.handle(ProbeEvent.self) { _, delivery in try await handle(delivery) }
        }
    }
}
