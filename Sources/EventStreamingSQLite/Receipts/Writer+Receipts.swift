import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    private func receipts(of subscription: SubscriptionEntry) throws -> ReceiptRows {
        ReceiptRows(of: subscription.id, keepingFrom: subscription.stream.first, in: try requireConnection())
    }

    /// Writes what an operation of the subscription means for the receipts of its users.
    func write(_ receipts: [ReceiptChange], of subscription: SubscriptionEntry, at time: Timestamp) throws {
        guard !receipts.isEmpty else { return }
        try begin()
        let rows = try self.receipts(of: subscription)
        for change in receipts {
            guard let offsets = change.offsets else {
                try rows.forget(change.consumer)
                continue
            }
            try rows.change(offsets, of: change.consumer) { runs in
                runs.apply(change.action, at: time, keepingFrom: rows.first)
            }
        }
    }

    /// Throws `unsupported` for a subscription of another mode.
    func checkKeepsReceipts(_ id: SubscriptionID) throws {
        try Validation.checkKeepsReceipts(subscription(id).state.definition)
    }

    /// Brings a subscription up to the moment of a call that is about the receipts of a user.
    ///
    /// - Throws: `unsupported` for a subscription of another mode; `unknownConsumer`. Before anything changes.
    private func subscription(
        _ id: SubscriptionID,
        with consumer: ConsumerID? = nil,
        at moment: Moment
    ) throws -> (SubscriptionEntry, Moment) {
        let subscription = try self.subscription(id)
        try Validation.checkKeepsReceipts(subscription.state.definition)
        let moment = try arrive(in: subscription.stream, at: moment)
        if let consumer, !subscription.state.hasConsumer(consumer) {
            throw EventStreamingError.unknownConsumer(consumer, of: id)
        }
        return (subscription, moment)
    }

    func markDelivered(
        _ offsets: [Range<StreamOffset>],
        to consumer: ConsumerID,
        of id: SubscriptionID,
        at moment: Moment
    ) throws {
        let (subscription, moment) = try subscription(id, with: consumer, at: moment)
        try begin()
        let rows = try receipts(of: subscription)
        let kept = OffsetRanges(merging: offsets).intersection(rows.first..<subscription.stream.head)
        try rows.change(kept, of: consumer) { runs in
            runs.markDelivered(kept, at: moment.now, keepingFrom: rows.first)
        }
    }

    func markRead(
        _ selection: ReceiptSelection,
        by consumer: ConsumerID,
        of id: SubscriptionID,
        at moment: Moment
    ) throws -> Int {
        let (subscription, moment) = try subscription(id, with: consumer, at: moment)
        try begin()
        let rows = try receipts(of: subscription)
        let kept = rows.first..<subscription.stream.head
        let offsets: OffsetRanges
        switch selection {
        case .events(let events):
            offsets = try self.offsets(of: events, in: subscription.stream)
        case .offsets(let ranges):
            offsets = OffsetRanges(merging: ranges)
        case .unread(let end):
            guard let first = try rows.firstUnread(of: consumer) else { return 0 }
            let range = first..<max(first, end?.rawValue ?? kept.upperBound)
            return try rows.change(OffsetRanges(range), of: consumer) { runs in
                runs.markUnreadAsRead(before: range.upperBound, at: moment.now, keepingFrom: rows.first)
            }
        }
        return try rows.change(offsets.intersection(kept), of: consumer) { runs in
            try runs.markRead(offsets, at: moment.now, keeping: kept)
        }
    }

    private func offsets(of events: [MessageID], in stream: StreamEntry) throws -> OffsetRanges {
        var ranges: [Range<StreamOffset>] = []
        for event in events {
            guard let offset = try offset(of: event, in: stream) else { throw EventStreamingError.notDelivered(event) }
            ranges.append(StreamOffset(offset)..<StreamOffset(offset + 1))
        }
        return OffsetRanges(merging: ranges)
    }

    func expireUnread(
        of id: SubscriptionID,
        after timeout: Duration,
        policy: UnreadPolicy,
        limit: Int,
        at moment: Moment
    ) throws -> UnreadExpiry {
        let (subscription, moment) = try subscription(id, at: moment)
        let limit = min(limit, Limits.unreadEventsPerExpiry)
        let overdue = try receipts(of: subscription).overdue(since: moment.now - timeout, limit: limit)
        guard !overdue.isEmpty else { return UnreadExpiry() }
        try begin()
        let offsets = subscription.state.eventsToRequeue(overdue, policy: policy)
        var events: [Int64: StoredEvent] = [:]
        for event in try offsets.ranges.flatMap({ try keptEvents(in: $0, of: subscription.stream) }) {
            events[event.offset.rawValue] = event
        }
        return try change(subscription, at: moment) { state, _, moment, effects in
            state.expireUnread(overdue, policy: policy, after: timeout, at: moment, effects: &effects) { events[$0] }
        }
    }

    /// Removes rows whose events are gone.
    func removeGone(_ rows: [(consumer: String, offset: Int64)], of id: SubscriptionID) throws -> Int {
        let subscription = try subscription(id)
        try begin()
        return try receipts(of: subscription).removeGone(rows)
    }
}

extension ReceiptRows {
    /// Changes the receipts of a user that overlap or touch the offsets.
    fileprivate func change<Result>(
        _ offsets: OffsetRanges,
        of consumer: ConsumerID,
        _ body: (inout ReceiptRuns) throws -> Result
    ) throws -> Result {
        let old = try load(offsets, of: consumer)
        var runs = old
        let result = try body(&runs)
        try write(runs.changes(from: old), of: consumer)
        return result
    }
}
