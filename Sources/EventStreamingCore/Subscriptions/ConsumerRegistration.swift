/// The right to consume under a name, until another registration of the same name takes it over.
public struct ConsumerRegistration: Sendable, Hashable {
    /// The subscription.
    public let subscription: SubscriptionID
    /// The consumer's name.
    public let consumer: ConsumerID
    /// Grows with every registration in the store. A call with an older epoch than the newest of that name is refused.
    public let epoch: UInt64

    /// Creates a registration; only stores do.
    public init(subscription: SubscriptionID, consumer: ConsumerID, epoch: UInt64) {
        self.subscription = subscription
        self.consumer = consumer
        self.epoch = epoch
    }
}
