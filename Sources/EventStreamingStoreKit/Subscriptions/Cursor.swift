import EventStreamingCore

/// How far a subscription, or one of its consumers, has come in a stream, and what it still has to finish.
///
/// Offsets before ``next`` were handed out once or passed over. Those of them that are unfinished are in a delivery,
/// each in exactly one; so the position is the lowest offset of any delivery, or ``next``. Finding it costs a look at
/// the top of a queue that is corrected as far as needed, whatever the order in which deliveries are settled.
///
/// Events that return from the dead-letter stream are deliveries too, but keep their own copy and never hold the
/// position.
struct Cursor: Sendable {
    /// The lowest offset that was never handed out.
    private(set) var next: Int64
    /// The contiguous completed watermark: everything before it is finished.
    private(set) var position: Int64
    /// How many events were removed from the stream before they were finished here.
    private(set) var missed: Int64
    /// By lease epoch, or by another key of the same count while they wait.
    private(set) var deliveries: [UInt64: Delivery] = [:]
    private var lowest = LazyQueue<Int64>()
    private var queue = LazyQueue<DueRank>()
    /// How many deliveries wait.
    private(set) var waiting = 0
    /// The deliveries that came, changed or went since ``takeChangedKeys()``; `nil` where nobody asks.
    private var changedKeys: Set<UInt64>?

    /// A position with nothing before it that is unfinished.
    ///
    /// - Parameters:
    ///   - missed: How many events were missed before.
    ///   - tracksChanges: Whether it is remembered which deliveries change.
    init(at position: Int64, missed: Int64 = 0, tracksChanges: Bool) {
        next = position
        self.position = position
        self.missed = missed
        changedKeys = tracksChanges ? [] : nil
    }

    /// The keys of deliveries that came, changed or went since the last call.
    mutating func takeChangedKeys() -> Set<UInt64> {
        guard let keys = changedKeys, !keys.isEmpty else { return [] }
        changedKeys = []
        return keys
    }

    // MARK: - Looking

    /// When a lease ends; `nil` when it has ended.
    func expiry(of key: UInt64) -> Duration? { deliveries[key]?.expiry }

    /// When the next waiting delivery falls due.
    mutating func nextDue() -> Duration? { nextWaiting()?.rank.due }

    /// The next waiting delivery.
    mutating func nextWaiting() -> LazyQueue<DueRank>.Entry? {
        guard waiting > 0 else { return nil }
        let deliveries = deliveries
        return queue.first { Self.dueRank(deliveries[$0]) }
    }

    private static func dueRank(_ delivery: Delivery?) -> DueRank? {
        guard let delivery, let due = delivery.due, let offset = delivery.remaining.lowest else { return nil }
        return DueRank(due: due, offset: offset)
    }

    /// How many events are held under leases, altogether or by one holder, and how many wait.
    func counts(heldBy holder: UInt64? = nil) -> (inFlight: Int, waiting: Int) {
        var inFlight = 0
        var waiting = 0
        for delivery in deliveries.values {
            switch delivery.phase {
            case .leased(let epoch, _):
                if holder == nil || epoch == holder {
                    inFlight += delivery.remaining.count
                }
            case .waiting:
                waiting += delivery.remaining.count
            }
        }
        return (inFlight, waiting)
    }

    // MARK: - Changing

    mutating func add(_ delivery: Delivery, key: UInt64) {
        if let low = delivery.lowestPinned {
            lowest.insert(key, rank: low)
        }
        if let rank = Self.dueRank(delivery) {
            waiting += 1
            queue.insert(key, rank: rank)
        }
        deliveries[key] = delivery
        changedKeys?.insert(key)
    }

    @discardableResult
    mutating func remove(_ key: UInt64) -> Delivery? {
        guard let delivery = deliveries.removeValue(forKey: key) else { return nil }
        changedKeys?.insert(key)
        if delivery.due != nil {
            waiting -= 1
        }
        return delivery
    }

    /// Changes a delivery in place; it must not change its phase or get an offset lower than its lowest.
    mutating func modify(_ key: UInt64, _ body: (inout Delivery) -> Void) {
        guard let index = deliveries.index(forKey: key) else { return }
        body(&deliveries.values[index])
        changedKeys?.insert(key)
    }

    /// Moves ``next`` up; everything before it must be finished or in a delivery.
    mutating func advance(to offset: Int64) {
        next = max(next, offset)
    }

    /// Begins anew at an offset; nothing but what returns from the dead letters may be in a delivery.
    mutating func restart(at offset: Int64) {
        next = offset
        settlePosition()
    }

    /// Brings ``position`` up to date. To be called at the end of every change.
    mutating func settlePosition() {
        position = lowestUnfinished()?.rank ?? next
        let deliveries = deliveries
        lowest.compact(live: deliveries.count) { deliveries[$0]?.lowestPinned }
        queue.compact(live: waiting) { Self.dueRank(deliveries[$0]) }
    }

    private mutating func lowestUnfinished() -> LazyQueue<Int64>.Entry? {
        let deliveries = deliveries
        return lowest.first { deliveries[$0]?.lowestPinned }
    }

    // MARK: - Trimming

    /// Gives up everything before `offset`, which the stream no longer has.
    ///
    /// What a lease still had there counts as passed over: settling it later changes nothing. A lease with nothing else
    /// has ended.
    ///
    /// - Returns: The offsets that were not finished.
    mutating func lap(before offset: Int64) -> OffsetRanges {
        guard position < offset else { return OffsetRanges() }
        var unfinished = OffsetRanges(next..<max(next, offset))
        let trimmed = 0..<offset
        while let entry = lowestUnfinished(), entry.rank < offset {
            modify(entry.key) { delivery in
                unfinished.formUnion(delivery.remaining.intersection(trimmed))
                delivery.remaining.subtract(trimmed)
                delivery.scheduled.subtract(trimmed)
            }
            if deliveries[entry.key]?.remaining.isEmpty == true {
                remove(entry.key)
            }
        }
        missed += Int64(unfinished.count)
        advance(to: offset)
        settlePosition()
        return unfinished
    }
}

extension Cursor {
    /// To be called when all deliveries that were written down are added again.
    mutating func finishRestoring() {
        settlePosition()
        _ = takeChangedKeys()
    }
}
