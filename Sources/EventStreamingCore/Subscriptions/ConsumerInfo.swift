/// A consumer of a subscription, as the store sees it.
public struct ConsumerInfo: Sendable, Hashable {
    /// The consumer's name.
    public let id: ConsumerID
    /// Whether its position outlives it.
    public let kind: ConsumerKind
    /// The epoch of its newest registration.
    public let epoch: UInt64
    /// Whether it is registered now. A durable consumer that left or expired stays listed, disconnected.
    public let isConnected: Bool
    /// When it registered last, by the wall clock.
    public let registeredAt: Timestamp
    /// When it gave a sign of life last, by the wall clock.
    public let lastSeenAt: Timestamp
    /// How many events it holds unfinished.
    public let inFlight: Int
    /// The partitions it has in a consumer group, in order; none in other modes.
    public let partitions: [Int]

    /// Creates a description of a consumer.
    public init(
        id: ConsumerID,
        kind: ConsumerKind,
        epoch: UInt64,
        isConnected: Bool,
        registeredAt: Timestamp,
        lastSeenAt: Timestamp,
        inFlight: Int,
        partitions: [Int] = []
    ) {
        self.id = id
        self.kind = kind
        self.epoch = epoch
        self.isConnected = isConnected
        self.registeredAt = registeredAt
        self.lastSeenAt = lastSeenAt
        self.inFlight = inFlight
        self.partitions = partitions
    }
}
