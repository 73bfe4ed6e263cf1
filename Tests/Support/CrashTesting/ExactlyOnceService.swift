package import EventStreaming

/// What is in the stream besides the events that are handled: subscriptions pass it over.
package struct ProbeNoise: Event {
    package typealias Process = ProbeWorkflow
    package static let eventType = "ProbeNoise"
    package var key: String

    package init(key: String) {
        self.key = key
    }
}

/// The declarations of a service that handles its events exactly once, shared with the one who checks it.
///
/// All three subscriptions are consumer groups that work on several events at once and pass over ``ProbeNoise``.
package enum ExactlyOnceService {
    /// Writes a row for each event in its transaction. Some events fail often enough to be given up; they are redriven
    /// again and again while the service runs.
    package static let transactions = "exact-transactions"
    /// The same, but nothing is given up, so that the rows of one writer's events are in order.
    package static let ordered = "exact-ordered"
    /// Locks and marks; says in the effects file when an event begins and ends.
    package static let marks = "exact-marks"
    package static let subscriptions = [transactions, ordered, marks]

    /// Declares the stream and the subscriptions.
    ///
    /// - Parameters:
    ///   - member: The name of the member in ``marks``; in the others, each service has a new one.
    ///   - insert: Writes a row for an event of a subscription, in the transaction.
    ///   - effect: Handles an event of ``marks``.
    package static func declare(
        in streaming: inout EventStreamingBuilder,
        as member: String,
        insert: @escaping @Sendable (String, TransactionalDelivery, any StoreTransaction) throws -> Void,
        effect: @escaping @Sendable (Delivery) async throws -> Void
    ) {
        streaming.options.shutdownTimeout = .seconds(2)
        streaming.addStream(ProbeWorkflow.self) { $0.type = .persistent }
        streaming.addEvent(ProbeNoise.self)
        for name in subscriptions {
            streaming.addSubscription(name) { subscription in
                subscription.stream(ProbeWorkflow.self)
                subscription.mode = .consumerGroup
                subscription.partitions = 8
                subscription.maximumConcurrency = 3
                subscription.retry.initialDelay = .milliseconds(20)
                subscription.retry.maximumDelay = .milliseconds(200)
                subscription.retry.maximumAttempts = name == transactions ? 2 : 1000
                // What a killed process held comes back soon. A lock lasts as long: longer than a service is stopped, as a
                // pause that is longer than the lock may repeat an effect.
                subscription.consumerTimeout = .seconds(name == marks ? 10 : 2)
                subscription.visibilityTimeout = .seconds(name == marks ? 10 : 2)
                if name == marks {
                    subscription.consumer = member
                    subscription.semantics = .exactlyOnce(.lockAndMark)
                    subscription.handle(ProbeEvent.self) { _, delivery in
                        try refuse(delivery.record, delivery.attempt)
                        try await effect(delivery)
                    }
                } else {
                    subscription.semantics = .exactlyOnce
                    subscription.handleInTransaction(ProbeEvent.self) { _, delivery, transaction in
                        // First the row, so that there is something to roll back.
                        try insert(name, delivery, transaction)
                        try refuse(delivery.record, delivery.attempt)
                        if name == transactions, delivery.record.offset.rawValue % 17 == 5, Bool.random() {
                            throw Refusal()
                        }
                    }
                }
            }
        }
    }

    /// Refuses some events the first time.
    private static func refuse(_ record: StoredEvent, _ attempt: Int) throws {
        if attempt == 1, record.offset.rawValue % 13 == 7 { throw Refusal() }
    }

    private struct Refusal: Error {}
}
