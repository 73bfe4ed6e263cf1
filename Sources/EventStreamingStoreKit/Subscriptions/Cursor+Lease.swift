package import EventStreamingCore

/// What a consumer gets when it asks: the offsets of events, which the store looks up.
package struct Portion: Sendable {
    /// The epoch of the lease.
    package let key: UInt64
    package let span: Range<Int64>
    package let offsets: OffsetRanges
    package let attempt: Int
    /// The event itself, where it returns from the dead letters.
    package let redriven: StoredEvent?
    /// When the lease ends; `nil` when the events count as finished already.
    package let expiry: Duration?
    /// How many events this position missed so far.
    package let missed: Int64
}

/// The outcome of looking for new events.
enum Scan: Sendable {
    case found(Portion)
    /// Nothing yet, but there is more to look at.
    case unfinished
    /// There are no new events.
    case end
}

extension Cursor {
    // MARK: - Again

    /// Hands out the next waiting delivery that is due; a part of it when it has more events than `limit`.
    ///
    /// Events that the filter does not want any more are finished on the way.
    mutating func leaseWaiting(
        limit: Int,
        at uptime: Duration,
        to holder: UInt64,
        from log: some SubscriptionLog,
        desk: inout Desk
    ) throws(EventStreamingError) -> Portion? {
        while let entry = nextWaiting(), entry.rank.due <= uptime, var delivery = remove(entry.key) {
            if delivery.redriven == nil, !desk.filter.isOpen {
                delivery.remaining = try wanted(delivery.remaining, in: log, filter: &desk.filter)
            }
            let portion = delivery.remaining.prefix(limit)
            delivery.remaining.subtract(portion)
            if !delivery.remaining.isEmpty {
                // The rest keeps its place in the order.
                delivery.scheduled = delivery.remaining
                delivery.span = delivery.remaining.span
                add(delivery, key: desk.nextKey())
            }
            guard !portion.isEmpty else { continue }
            delivery.attempts += 1
            delivery.scheduled = portion
            delivery.remaining = portion
            delivery.span = portion.span
            return hand(out: delivery, to: holder, at: uptime, desk: &desk)
        }
        settlePosition()
        return nil
    }

    func wanted(
        _ offsets: OffsetRanges,
        in log: some SubscriptionLog,
        filter: inout EventFilter
    ) throws(EventStreamingError) -> OffsetRanges {
        var result = OffsetRanges()
        for range in offsets.ranges {
            for offset in range where try filter.wants(log.type(at: offset)) {
                result.append(offset)
            }
        }
        return result
    }

    // MARK: - For the first time

    /// Hands out the next new events.
    mutating func leaseNew(
        limit: Int,
        at uptime: Duration,
        to holder: UInt64,
        from log: some SubscriptionLog,
        desk: inout Desk
    ) throws(EventStreamingError) -> Scan {
        let head = log.head
        guard next < head else { return .end }
        var offsets: OffsetRanges
        if desk.filter.isOpen {
            offsets = OffsetRanges(next..<next + min(Int64(limit), head - next))
            advance(to: offsets.span.upperBound)
        } else {
            offsets = try scan(limit: limit, log: log, filter: &desk.filter)
        }
        guard !offsets.isEmpty else {
            settlePosition()
            return next < head ? .unfinished : .end
        }
        let delivery = Delivery(
            phase: .waiting(due: uptime),
            span: offsets.span,
            scheduled: offsets,
            remaining: offsets,
            attempts: 1
        )
        return .found(hand(out: delivery, to: holder, at: uptime, desk: &desk))
    }

    /// Goes on until there are `limit` events, or enough was looked at.
    private mutating func scan(
        limit: Int,
        log: some SubscriptionLog,
        filter: inout EventFilter
    ) throws(EventStreamingError) -> OffsetRanges {
        var offsets = OffsetRanges()
        var count = 0
        var offset = next
        let head = log.head
        let start = next
        let patience = Int64(limit * Limits.scanPerEvent)
        while offset < head, count < limit {
            let reach = count == 0 ? Int64(Limits.scanPerTurn) : patience
            guard offset - start < reach else { break }
            if try filter.wants(log.type(at: offset)) {
                offsets.append(offset)
                count += 1
            }
            offset += 1
        }
        advance(to: offset)
        return offsets
    }

    mutating func hand(
        out delivery: consuming Delivery,
        to holder: UInt64,
        at uptime: Duration,
        desk: inout Desk
    ) -> Portion {
        let key = desk.nextKey()
        let isFinished = desk.semantics == .atMostOnce
        let expiry = uptime + desk.visibilityTimeout
        let portion = Portion(
            key: key,
            span: delivery.span,
            offsets: delivery.scheduled,
            attempt: delivery.attempts,
            redriven: delivery.redriven?.event,
            expiry: isFinished ? nil : expiry,
            missed: missed
        )
        if !isFinished {
            delivery.phase = .leased(holder: holder, expiry: expiry)
            add(delivery, key: key)
        }
        settlePosition()
        return portion
    }

    /// Lets the leases of a holder last until `expiry` at least.
    mutating func extend(_ keys: some Sequence<UInt64>, of holder: UInt64, until expiry: Duration) {
        for key in keys {
            modify(key) { delivery in
                if case .leased(holder, let present) = delivery.phase, present < expiry {
                    delivery.phase = .leased(holder: holder, expiry: expiry)
                }
            }
        }
    }

    /// Delivers an event from the dead-letter stream, as if for the first time.
    ///
    /// - Parameter hasKey: Whether the event's partition key is needed.
    mutating func redrive(_ event: StoredEvent, hasKey: Bool, at uptime: Duration, desk: inout Desk) {
        let offset = event.offset.rawValue
        let offsets = OffsetRanges(offset..<offset + 1)
        let delivery = Delivery(
            phase: .waiting(due: uptime),
            span: offsets.span,
            scheduled: offsets,
            remaining: offsets,
            redriven: Delivery.Redriven(event),
            keys: hasKey ? EventKeys([PartitionKey(of: event)], of: offsets) : nil
        )
        add(delivery, key: desk.nextKey())
    }
}
