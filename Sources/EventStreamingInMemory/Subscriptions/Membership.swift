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

    /// Begins a new registration under the same name. The leases of the old one must have been ended.
    mutating func renew(kind: ConsumerKind, epoch: UInt64, at moment: Moment, timeout: Duration) {
        self = Membership(kind: kind, epoch: epoch, at: moment, timeout: timeout)
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

    /// When the consumer or its first lease ends, whichever is earlier.
    mutating func deadline(in cursor: Cursor) -> Duration {
        guard let lease = firstExpiring(in: cursor) else { return expiresAt }
        return min(lease.rank, expiresAt)
    }
}
