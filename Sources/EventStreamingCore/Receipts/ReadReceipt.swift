/// What became of events that were delivered to a user of a subscription in mode ``SubscriptionMode/readReceipt``.
///
/// One receipt may stand for many events, neighbours in the stream with the same state.
public struct ReadReceipt: Sendable, Hashable {
    /// How far it has come. States only go forward, but for ``requeued``, which may become ``delivered`` again, and for
    /// ``expired``, which becomes ``requeued`` when an operator redrives the event.
    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// Delivered, and not read yet.
        case delivered
        /// Unread for too long; waits to be delivered again. Counts as unread, and can be marked as read.
        case requeued
        /// The user has confirmed it.
        case read
        /// Unread for too long, and given up.
        case expired
    }

    /// The subscription.
    public let subscription: SubscriptionID
    /// The user.
    public let consumer: ConsumerID
    /// The events.
    public let offsets: Range<StreamOffset>
    /// How far they have come.
    public let status: Status
    /// When they were delivered last. For events that were read: the latest of their times.
    public let deliveredAt: Timestamp
    /// When they were read. Events that were read one after the other share a receipt, which has the latest of their times.
    public let readAt: Timestamp?
    /// How often they were delivered. For events that were read: the greatest of their numbers.
    public let deliveries: Int

    /// Creates a receipt; only stores do.
    public init(
        subscription: SubscriptionID,
        consumer: ConsumerID,
        offsets: Range<StreamOffset>,
        status: Status,
        deliveredAt: Timestamp,
        readAt: Timestamp?,
        deliveries: Int
    ) {
        self.subscription = subscription
        self.consumer = consumer
        self.offsets = offsets
        self.status = status
        self.deliveredAt = deliveredAt
        self.readAt = readAt
        self.deliveries = deliveries
    }
}
