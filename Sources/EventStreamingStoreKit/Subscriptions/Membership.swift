import EventStreamingCore

/// A consumer's place in a subscription, without its position.
struct Membership: Sendable {
    var kind: ConsumerKind
    /// The epoch of the newest registration.
    var epoch: UInt64
    var isConnected = true
    var registeredAt: Timestamp
    var lastSeenAt: Timestamp
    /// When the registration ends without another sign of life.
    var expiresAt: Duration
    /// The leases held, by the time when they run out.
    private var leases = LazyQueue<Duration>()

    init(kind: ConsumerKind, epoch: UInt64, at moment: Moment, timeout: Duration) {
        self.kind = kind
        self.epoch = epoch
        registeredAt = moment.now
        lastSeenAt = moment.now
        expiresAt = moment.uptime + timeout
    }

    mutating func showLife(at moment: Moment, timeout: Duration) {
        lastSeenAt = moment.now
        expiresAt = max(expiresAt, moment.uptime + timeout)
    }

    // MARK: - Leases

    /// The leases held, perhaps with some that have ended.
    var leaseKeys: [UInt64] { leases.keys }

    mutating func hold(_ key: UInt64, until expiry: Duration, in cursor: Cursor) {
        leases.insert(key, rank: expiry)
        leases.compact(live: cursor.deliveries.count) { cursor.expiry(of: $0) }
    }

    /// The lease that runs out first.
    mutating func firstExpiring(in cursor: Cursor) -> LazyQueue<Duration>.Entry? {
        leases.isEmpty ? nil : leases.first { cursor.expiry(of: $0) }
    }
}
