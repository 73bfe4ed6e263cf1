import EventStreamingCore

/// A subscription as configured, with all names resolved.
struct SubscriptionPlan: Sendable {
    let definition: SubscriptionDefinition
    let prefetch: Int
    let maximumConcurrency: Int
    let handler: SubscriptionHandler?
    /// The consumer name of the handler, where one was given.
    let consumer: ConsumerID?

    /// The name whose position the handler keeps; `nil` where the handler's consumer is temporary, or there is none.
    var durableHandlerConsumer: ConsumerID? {
        guard handler != nil else { return nil }
        return consumer ?? (definition.mode == .broadcast ? ConsumerID(definition.id) : nil)
    }
}
