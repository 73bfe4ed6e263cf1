/// What the retention policy of a stream removed.
public struct RetentionResult: Sendable, Hashable {
    /// The offsets of the events removed; empty when nothing had to go.
    public let removed: Range<StreamOffset>
    /// The subscriptions that had not finished all of them, in order of their names.
    public let missed: [MissedEvents]

    /// How many events were removed.
    public var count: Int { removed.lowerBound.distance(to: removed.upperBound) }

    /// Creates a result; only stores do.
    public init(removed: Range<StreamOffset>, missed: [MissedEvents] = []) {
        self.removed = removed
        self.missed = missed
    }
}

/// Events that were removed before a subscription had finished them.
public struct MissedEvents: Sendable, Hashable {
    /// The subscription.
    public let subscription: SubscriptionID
    /// How many of the removed events at least one of its positions had not finished. Those that it never looked at
    /// count too, whether its filter wants them or not.
    public let count: Int

    /// Creates a description of what was missed; only stores do.
    public init(subscription: SubscriptionID, count: Int) {
        self.subscription = subscription
        self.count = count
    }
}
