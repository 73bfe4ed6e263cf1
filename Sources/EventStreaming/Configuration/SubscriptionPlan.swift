import EventStreamingCore

/// How long events may be unread, and what becomes of them then.
struct UnreadRule: Sendable, Hashable {
    var timeout: Duration
    var policy: UnreadPolicy
}

/// A subscription as configured, with all names resolved.
struct SubscriptionPlan: Sendable {
    let definition: SubscriptionDefinition
    let prefetch: Int
    let maximumConcurrency: Int
    let handler: SubscriptionHandler?
    let transactionalHandler: TransactionalHandler?
    /// The consumer name of the handler, where one was given.
    let consumer: ConsumerID?
    let health: HealthThresholds
    /// What becomes of events that are unread for too long; `nil` where they may be unread for ever.
    let unread: UnreadRule?

    /// Whether it consumes by itself while the service runs.
    var hasHandler: Bool { handler != nil || transactionalHandler != nil }

    /// The name whose position the handler keeps; `nil` where the handler's consumer is temporary, or there is none.
    var durableHandlerConsumer: ConsumerID? {
        guard hasHandler else { return nil }
        return consumer ?? (definition.mode == .broadcast ? ConsumerID(definition.id) : nil)
    }
}
