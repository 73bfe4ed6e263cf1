import EventStreamingCore

extension Cursor {
    /// Events that waited, taken for a member.
    private struct Picked {
        var keys = EventKeys()
        /// From which deliveries, and what.
        var sources: [UInt64: OffsetRanges] = [:]
        /// The delivery that is tried again, with its attempts; `nil` for events that were never delivered.
        var retried: (key: UInt64, delivery: Delivery)?
    }

    /// How many events wait, for a member of a group or for their time.
    private var waitingEvents: Int {
        deliveries.values.reduce(0) { $1.due == nil ? $0 : $0 + $1.remaining.count }
    }

    /// Whether so many events wait for members that no new ones are looked at.
    var isCrowded: Bool { waitingEvents >= Limits.waitingGroupEvents }

    /// Hands out the next events of a member's partitions: those that wait, then new ones. What is passed over because it
    /// is another member's, or behind an unfinished or parked event of its key, waits.
    mutating func leaseToMember(
        limit: Int,
        at uptime: Duration,
        to holder: UInt64,
        of table: PartitionTable,
        parked: ParkedKeys,
        from log: some SubscriptionLog,
        desk: inout Desk
    ) throws(EventStreamingError) -> Scan {
        var view = MemberView(of: holder, in: table, holding: deliveries.values, parked: parked)
        var picked = pickWaiting(limit: limit, at: uptime, view: &view)
        takeOut(picked)
        if !desk.filter.isOpen, !picked.keys.isEmpty, picked.retried?.delivery.redriven == nil {
            // Those that the filter does not want any more are finished.
            let wanted = try wanted(picked.keys.ranges, in: log, filter: &desk.filter)
            picked.keys = EventKeys(picked.keys.keys(of: wanted), of: wanted)
        }
        if picked.retried == nil {
            try scan(limit: limit, into: &picked.keys, from: log, desk: &desk, view: &view)
        }
        guard !picked.keys.isEmpty else {
            settlePosition()
            return picked.retried != nil || (next < log.head && !isCrowded) ? .unfinished : .end
        }
        let ranges = picked.keys.ranges
        let tried = picked.retried?.delivery
        let delivery = Delivery(
            phase: .waiting(due: uptime),
            span: ranges.span,
            scheduled: ranges,
            remaining: ranges,
            attempts: (tried?.attempts ?? 0) + 1,
            failure: tried?.failure,
            redriven: tried?.redriven,
            keys: picked.keys
        )
        return .found(hand(out: delivery, to: holder, at: uptime, desk: &desk))
    }

    /// When something of a member's that waits for its time falls due.
    func nextDue(of holder: UInt64, in table: PartitionTable, after uptime: Duration) -> Duration? {
        let view = MemberView(of: holder, in: table, holding: EmptyCollection())
        var next: Duration?
        for delivery in deliveries.values {
            guard let due = delivery.due, due > uptime, due < next ?? .never else { continue }
            var isOwn = false
            delivery.keys?.forEach(in: delivery.remaining) { isOwn = isOwn || view.owns($1) }
            if isOwn {
                next = due
            }
        }
        return next
    }

    // MARK: - What waits

    /// Finds what a member may have of the events that wait, in order of their offsets.
    private func pickWaiting(limit: Int, at uptime: Duration, view: inout MemberView) -> Picked {
        var picked = Picked()
        guard waiting > 0 else { return picked }
        for event in waitingInOrder() {
            guard let delivery = deliveries[event.delivery] else { continue }
            let isDue = delivery.due.map { $0 <= uptime } ?? false
            let source = delivery.isFresh ? nil : event.delivery
            guard isDue, picked.keys.count < limit, view.mayHave(event.key, at: event.offset),
                picked.keys.isEmpty || picked.retried?.key == source
            else {
                view.block(event.key)
                continue
            }
            if let source, picked.retried == nil {
                picked.retried = (source, delivery)
            }
            picked.keys.append(event.key, at: event.offset)
            picked.sources[event.delivery, default: OffsetRanges()].append(event.offset)
        }
        return picked
    }

    private func waitingInOrder() -> [(offset: Int64, key: PartitionKey, delivery: UInt64)] {
        var events: [(offset: Int64, key: PartitionKey, delivery: UInt64)] = []
        for (key, delivery) in deliveries where delivery.due != nil {
            delivery.keys?.forEach(in: delivery.remaining) { events.append(($0, $1, key)) }
        }
        events.sort { $0.offset == $1.offset ? $0.delivery < $1.delivery : $0.offset < $1.offset }
        return events
    }

    private mutating func takeOut(_ picked: Picked) {
        for (key, offsets) in picked.sources {
            guard var rest = deliveries[key]?.remaining else { continue }
            rest.subtract(offsets)
            if rest.isEmpty {
                remove(key)
            } else {
                modify(key) { delivery in
                    delivery.remaining = rest
                    delivery.scheduled = rest
                    delivery.span = rest.span
                }
            }
        }
    }

    // MARK: - What is new

    /// Looks at new events until there are `limit`, or enough was looked at; passes over what the member may not have.
    private mutating func scan(
        limit: Int,
        into picked: inout EventKeys,
        from log: some SubscriptionLog,
        desk: inout Desk,
        view: inout MemberView
    ) throws(EventStreamingError) {
        let head = log.head
        let start = next
        let room = Limits.waitingGroupEvents - waitingEvents
        let patience = Int64(limit * Limits.scanPerEvent)
        var passed = EventKeys()
        var offset = start
        while offset < head, picked.count < limit, passed.count < room {
            let reach = picked.isEmpty ? Int64(Limits.scanPerTurn) : patience
            guard offset - start < reach else { break }
            let isWanted = desk.filter.isOpen ? true : try desk.filter.wants(log.type(at: offset))
            if isWanted {
                let key = try log.key(at: offset)
                if view.mayHave(key, at: offset) {
                    picked.append(key, at: offset)
                } else {
                    view.block(key)
                    passed.append(key, at: offset)
                }
            }
            offset += 1
        }
        if !passed.isEmpty {
            let ranges = passed.ranges
            let delivery = Delivery(
                phase: .waiting(due: .zero),
                span: ranges.span,
                scheduled: ranges,
                remaining: ranges,
                keys: passed
            )
            add(delivery, key: desk.nextKey())
        }
        advance(to: offset)
    }
}
