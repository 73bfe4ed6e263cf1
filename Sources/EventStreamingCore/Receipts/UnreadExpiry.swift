/// What ``ReadReceiptStore/expireUnread(of:after:policy:limit:)`` did.
public struct UnreadExpiry: Sendable, Hashable {
    /// How many events will be delivered again.
    public var requeued: Int
    /// How many became dead letters.
    public var deadLettered: Int
    /// How many were given up.
    public var dropped: Int

    /// Whether there was nothing to do.
    public var isEmpty: Bool { requeued == 0 && deadLettered == 0 && dropped == 0 }

    /// Creates a result.
    public init(requeued: Int = 0, deadLettered: Int = 0, dropped: Int = 0) {
        self.requeued = requeued
        self.deadLettered = deadLettered
        self.dropped = dropped
    }
}
