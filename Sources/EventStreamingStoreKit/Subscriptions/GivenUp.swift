package import EventStreamingCore

/// An event that a subscription gives up, and that the store puts into the dead-letter stream.
package struct GivenUp: Sendable {
    package let offset: Int64
    /// The event itself, where it had returned from the dead letters: its stream may have lost it long ago.
    package let redriven: StoredEvent?
    package let attempts: Int
    package let failure: Delivery.Failure
    /// The event's partition key, in consumer groups.
    package internal(set) var key: PartitionKey?
    /// The consumer whose position it belongs to; `nil` where all share one.
    package internal(set) var consumer: ConsumerID?

    /// The dead letter, before it has its number.
    package func deadLetter(_ event: StoredEvent, of definition: SubscriptionDefinition) -> DeadLetter {
        DeadLetter(
            number: .zero,
            event: event,
            stream: definition.stream,
            subscription: definition.id,
            consumer: consumer,
            reason: failure.reason,
            attempts: attempts,
            firstFailure: failure.first,
            lastFailure: failure.last
        )
    }
}
