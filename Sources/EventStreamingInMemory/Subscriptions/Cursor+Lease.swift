import EventStreamingCore

/// What a consumer gets when it asks.
struct Portion: Sendable {
    let key: UInt64
    let span: Range<Int64>
    let events: [StoredEvent]
    let attempt: Int
    let isRedriven: Bool
    /// When the lease ends; `nil` when the events count as finished already.
    let expiry: Duration?
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
        from log: EventLog,
        desk: inout Desk
    ) -> Portion? {
        while let entry = nextWaiting(), entry.rank.due <= uptime, var delivery = remove(entry.key) {
            if delivery.redriven == nil, !desk.filter.isOpen {
                delivery.remaining = wanted(delivery.remaining, in: log, filter: &desk.filter)
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
            let events = delivery.redriven.map { [$0.event] } ?? events(portion, from: log)
            return hand(out: delivery, events, to: holder, at: uptime, desk: &desk)
        }
        settlePosition()
        return nil
    }

    private func wanted(
        _ offsets: OffsetRanges,
        in log: EventLog,
        filter: inout EventFilter
    ) -> OffsetRanges {
        var result = OffsetRanges()
        for range in offsets.ranges {
            for offset in range where filter.wants(log[offset].type) {
                result.append(offset)
            }
        }
        return result
    }

    private func events(_ offsets: OffsetRanges, from log: EventLog) -> [StoredEvent] {
        let ranges = offsets.ranges
        if ranges.count == 1 {
            return log.events(in: ranges[0])
        }
        var events: [StoredEvent] = []
        events.reserveCapacity(offsets.count)
        for range in ranges {
            for offset in range {
                events.append(log[offset])
            }
        }
        return events
    }

    // MARK: - For the first time

    /// Hands out the next new events.
    mutating func leaseNew(
        limit: Int,
        at uptime: Duration,
        to holder: UInt64,
        from log: EventLog,
        desk: inout Desk
    ) -> Scan {
        let head = log.head
        guard next < head else { return .end }
        var offsets: OffsetRanges
        let events: [StoredEvent]
        if desk.filter.isOpen {
            offsets = OffsetRanges(next..<next + min(Int64(limit), head - next))
            events = log.events(in: offsets.span)
            advance(to: offsets.span.upperBound)
        } else {
            (offsets, events) = scan(limit: limit, log: log, filter: &desk.filter)
        }
        guard !events.isEmpty else {
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
        return .found(hand(out: delivery, events, to: holder, at: uptime, desk: &desk))
    }

    /// Goes on until there are `limit` events, or enough was looked at.
    private mutating func scan(
        limit: Int,
        log: EventLog,
        filter: inout EventFilter
    ) -> (OffsetRanges, [StoredEvent]) {
        var offsets = OffsetRanges()
        var events: [StoredEvent] = []
        var offset = next
        let head = log.head
        let start = next
        let patience = Int64(limit * Limits.scanPerEvent)
        while offset < head, events.count < limit {
            let reach = events.isEmpty ? Int64(Limits.scanPerTurn) : patience
            guard offset - start < reach else { break }
            if filter.wants(log[offset].type) {
                offsets.append(offset)
                events.append(log[offset])
            }
            offset += 1
        }
        advance(to: offset)
        return (offsets, events)
    }

    private mutating func hand(
        out delivery: consuming Delivery,
        _ events: [StoredEvent],
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
            events: events,
            attempt: delivery.attempts,
            isRedriven: delivery.redriven != nil,
            expiry: isFinished ? nil : expiry
        )
        if !isFinished {
            delivery.phase = .leased(holder: holder, expiry: expiry)
            add(delivery, key: key)
        }
        settlePosition()
        return portion
    }

    /// Lets the leases of a holder last until `expiry` at least.
    mutating func extend(_ keys: [UInt64], of holder: UInt64, until expiry: Duration) {
        for key in keys {
            modify(key) { delivery in
                if case .leased(holder, let present) = delivery.phase, present < expiry {
                    delivery.phase = .leased(holder: holder, expiry: expiry)
                }
            }
        }
    }

    /// Delivers an event from the dead-letter stream, as if for the first time.
    mutating func redrive(_ event: StoredEvent, at uptime: Duration, desk: inout Desk) {
        let offset = event.offset.rawValue
        let offsets = OffsetRanges(offset..<offset + 1)
        let delivery = Delivery(
            phase: .waiting(due: uptime),
            span: offsets.span,
            scheduled: offsets,
            remaining: offsets,
            redriven: Delivery.Redriven(event)
        )
        add(delivery, key: desk.nextKey())
    }
}
