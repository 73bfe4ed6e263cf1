package import EventStreaming

/// What happens in the service that crash tests kill.
package struct ProbeEvent: Event {
    package typealias Process = ProbeWorkflow
    package static let eventType = "ProbeEvent"
    package var key: String

    package init(key: String) {
        self.key = key
    }
}

/// The process of ``ProbeEvent``.
package enum ProbeWorkflow: Workflow {
    package static let streamName = "probe-events"
}

/// The declarations that the service and the one who checks it share.
package enum ProbeService {
    package static let stream = "probe-events"
    /// Writes rows, in the transactions that finish events.
    package static let recorder = "probe-recorder"
    package static let subscriptions = ["probe-workers", "probe-observer", recorder]

    /// Declares the stream, competing workers that work on several events at once and refuse some of them the first
    /// time, and an observer with a position of its own.
    package static func declare(
        in streaming: inout EventStreamingBuilder,
        _ effect: @escaping @Sendable (String, Delivery) async throws -> Void
    ) {
        streaming.options.shutdownTimeout = .seconds(2)
        streaming.addStream(ProbeWorkflow.self) { $0.type = .persistent }
        for name in subscriptions {
            streaming.addSubscription(name) { subscription in
                subscription.stream(ProbeWorkflow.self)
                subscription.mode = name == "probe-observer" ? .broadcast : .exclusive
                subscription.maximumConcurrency = name == "probe-observer" ? 1 : 4
                subscription.retry.initialDelay = .milliseconds(20)
                subscription.retry.maximumAttempts = 1000
                // What a killed process held comes back soon.
                subscription.consumerTimeout = .seconds(2)
                subscription.visibilityTimeout = .seconds(2)
                subscription.handle(ProbeEvent.self) { _, delivery in
                    if delivery.attempt == 1, delivery.record.offset.rawValue % 13 == 7 {
                        throw Refusal()
                    }
                    try await effect(name, delivery)
                }
            }
        }
    }

    private struct Refusal: Error {}
}
