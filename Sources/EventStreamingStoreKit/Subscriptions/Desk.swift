import EventStreamingCore

/// What all positions of a subscription share when they hand out events.
struct Desk: Sendable {
    var semantics: DeliverySemantics
    var retry: RetryPolicy
    var visibilityTimeout: Duration
    var consumerTimeout: Duration
    var filter: EventFilter
    /// Whether it is remembered what was delivered to whom.
    let keepsReceipts: Bool
    private var random: SplitMix64
    /// The last key given out.
    private(set) var lastKey: UInt64

    init(_ definition: SubscriptionDefinition, lastKey: UInt64 = 0, seed: UInt64) {
        semantics = definition.semantics
        retry = definition.retry
        visibilityTimeout = definition.visibilityTimeout
        consumerTimeout = definition.consumerTimeout
        filter = EventFilter(definition.eventTypes)
        keepsReceipts = definition.mode == .readReceipt
        random = SplitMix64(seed: seed)
        self.lastKey = lastKey
    }

    /// Takes over a changed definition.
    mutating func update(_ definition: SubscriptionDefinition) {
        semantics = definition.semantics
        retry = definition.retry
        visibilityTimeout = definition.visibilityTimeout
        consumerTimeout = definition.consumerTimeout
        filter = EventFilter(definition.eventTypes)
    }

    /// The epoch of the next lease, or the key of a delivery that waits. Keys grow and are never used again, so an old
    /// epoch finds nothing.
    mutating func nextKey() -> UInt64 {
        lastKey += 1
        return lastKey
    }

    mutating func delay(afterAttempt attempt: Int) -> Duration {
        retry.delay(afterAttempt: attempt, using: &random)
    }
}
