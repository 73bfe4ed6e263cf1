package import EventStreaming

/// What happens in the service that crash tests kill.
package struct ProbeEvent: Event {
    package typealias Process = ProbeWorkflow
    package static let eventType = "ProbeEvent"
    package var key: String

    /// Who appended it: what comes after the last hyphen of the key is a number.
    package var partitionKey: String? { Self.writer(of: key) }

    package static func writer(of key: String) -> String {
        key.lastIndex(of: "-").map { String(key[..<$0]) } ?? key
    }

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
    /// A consumer group that handles what one writer appended in order.
    package static let group = "probe-group"
    package static let subscriptions = ["probe-workers", "probe-observer", recorder, group]

    /// Declares the stream, competing workers that work on several events at once and refuse some of them the first
    /// time, an observer with a position of its own, and a consumer group.
    package static func declare(
        in streaming: inout EventStreamingBuilder,
        _ effect: @escaping @Sendable (String, Delivery) async throws -> Void
    ) {
        streaming.options.shutdownTimeout = .seconds(2)
        streaming.addStream(ProbeWorkflow.self) { $0.type = .persistent }
        for name in subscriptions {
            streaming.addSubscription(name) { subscription in
                subscription.stream(ProbeWorkflow.self)
                subscription.mode = mode(of: name)
                subscription.partitions = name == group ? 8 : nil
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

    private static func mode(of subscription: String) -> SubscriptionMode {
        switch subscription {
        case "probe-observer": .broadcast
        case group: .consumerGroup
        default: .exclusive
        }
    }

    private struct Refusal: Error {}
}
