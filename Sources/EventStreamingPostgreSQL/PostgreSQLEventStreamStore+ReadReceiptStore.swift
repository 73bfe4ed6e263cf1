#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore: ReadReceiptStore {
    /// The most records that are removed in one transaction.
    private static let recordsPerStep = 5000

    /// What the receipts of a user are changed with.
    private struct Change {
        let entry: SubscriptionEntry
        let kept: Range<Int64>
        let now: Timestamp
        let session: Session
    }

    /// Makes receipts for events that were delivered by other means. They are on the server's disk when this returns.
    public func markDelivered(
        _ offsets: [Range<StreamOffset>],
        to consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) {
        try await changeReceipts(of: consumer, in: subscription) { (change) throws(EventStreamingError) in
            let kept = OffsetRanges(merging: offsets).intersection(change.kept)
            let old = try ReceiptRows.load(kept, of: consumer, in: change.entry, change.session)
            var runs = old
            runs.markDelivered(kept, at: change.now, keepingFrom: change.kept.lowerBound)
            try ReceiptRows.write([(consumer, runs.changes(from: old))], of: change.entry, change.session)
        }
    }

    /// Marks events as read by a user; on the server's disk when this returns. Takes nobody's turn but that of who changes
    /// receipts of the same user.
    public func markRead(
        _ selection: ReceiptSelection,
        by consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try await changeReceipts(of: consumer, in: subscription) { (change) throws(EventStreamingError) in
            let offsets: OffsetRanges
            switch selection {
            case .events(let events):
                offsets = try Self.offsets(of: events, change)
            case .offsets(let ranges):
                offsets = OffsetRanges(merging: ranges)
            case .unread(let end):
                return try Self.markUnreadAsRead(before: end, of: consumer, change)
            }
            let old = try ReceiptRows.load(
                offsets.intersection(change.kept),
                of: consumer,
                in: change.entry,
                change.session
            )
            var runs = old
            let count = try runs.markRead(offsets, at: change.now, keeping: change.kept)
            try ReceiptRows.write([(consumer, runs.changes(from: old))], of: change.entry, change.session)
            return count
        }
    }

    private static func markUnreadAsRead(
        before end: StreamOffset?,
        of consumer: ConsumerID,
        _ change: Change
    ) throws(EventStreamingError) -> Int {
        let (first, last) = (change.kept.lowerBound, end?.rawValue ?? Int64.max)
        let old = try ReceiptRows.loadUnread(of: consumer, in: change.entry, from: first, to: last, change.session)
        var runs = old
        let count = runs.markUnreadAsRead(before: end?.rawValue, at: change.now, keepingFrom: first)
        try ReceiptRows.write([(consumer, runs.changes(from: old))], of: change.entry, change.session)
        return count
    }

    private static let find = Statement(
        """
        SELECT event_id, "offset" FROM events WHERE stream_id = $1::bigint AND event_id = ANY ($2::uuid[])
        """
    )

    private static func offsets(
        of events: [MessageID],
        _ change: Change
    ) throws(EventStreamingError) -> OffsetRanges {
        let rows = try change.session.rows(find) { parameters in
            parameters.add(change.entry.stream.id)
            parameters.add(events)
        }
        var offsets: [MessageID: Int64] = [:]
        for row in 0..<rows.count where change.kept.contains(rows.int64(row, 1)) {
            offsets[rows.id(row, 0)] = rows.int64(row, 1)
        }
        var ranges: [Range<StreamOffset>] = []
        for event in events {
            guard let offset = offsets[event] else { throw .notDelivered(event) }
            ranges.append(StreamOffset(offset)..<StreamOffset(offset + 1))
        }
        return OffsetRanges(merging: ranges)
    }

    /// How many events a user has not read. One statement that looks at the receipts of this user only.
    public func unreadCount(
        of consumer: ConsumerID,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        let entry = try await receiptEntry(of: subscription)
        return try await withSession { (session) throws(EventStreamingError) in
            try ReceiptReader.unreadCount(of: consumer, in: entry, session)
        }
    }

    /// The unread events of a user.
    public func unreadReceipts(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        from offset: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        let entry = try await receiptEntry(of: subscription)
        try Validation.checkLimit(limit)
        let runs = try await withSession { (session) throws(EventStreamingError) in
            try ReceiptReader.unread(of: consumer, in: entry, from: offset.rawValue, limit: limit, session)
        }
        return runs.map { $0.receipt(of: consumer, in: subscription) }
    }

    /// Who was given an event. Costs a look at the receipts of each user up to the last one returned.
    public func receipts(
        for offset: StreamOffset,
        in subscription: SubscriptionID,
        after consumer: ConsumerID?,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        let entry = try await receiptEntry(of: subscription)
        try Validation.checkLimit(limit)
        return try await withSession { (session) throws(EventStreamingError) in
            try ReceiptReader.receipts(for: offset.rawValue, in: entry, after: consumer, limit: limit, session)
                .map { $0.1.receipt(of: $0.0, in: subscription) }
        }
    }

    /// What was unread for too long.
    public func expiredUnreadReceipts(
        of subscription: SubscriptionID,
        after timeout: Duration,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        let entry = try await receiptEntry(of: subscription)
        try Validation.check(timeout, limit: limit)
        let now = options.usesServerTime ? nil : clock.now
        return try await withSession { (session) throws(EventStreamingError) in
            try ReceiptReader.overdue(in: entry, after: timeout, at: now, limit: limit, session)
                .map { $0.run.receipt(of: $0.consumer, in: subscription) }
        }
    }

    /// Does with events that were unread for too long what the policy says, at most 10 000 of them in one call. Several
    /// instances may do it at once: a receipt that somebody changed since it was looked at is looked at again.
    public func expireUnread(
        of subscription: SubscriptionID,
        after timeout: Duration,
        policy: UnreadPolicy,
        limit: Int
    ) async throws(EventStreamingError) -> UnreadExpiry {
        let entry = try await receiptEntry(of: subscription)
        try Validation.check(timeout, limit: limit)
        let now = options.usesServerTime ? nil : clock.now
        let isDue = try await withSession { (session) throws(EventStreamingError) in
            try !ReceiptReader.overdue(in: entry, after: timeout, at: now, limit: 1, session).isEmpty
        }
        // Mostly there is nothing to do, and so no reason to disturb anybody.
        guard isDue else { return UnreadExpiry() }
        return try await changeAlone(gate(of: subscription)) { (state, work) throws(EventStreamingError) in
            let overdue = try ReceiptReader.overdue(
                in: work.entry,
                after: timeout,
                at: work.receiptTime,
                limit: min(limit, Limits.unreadEventsPerExpiry),
                work.session
            )
            var events: [Int64: StoredEvent] = [:]
            for event in try work.log.events(at: state.eventsToRequeue(overdue, policy: policy)) {
                events[event.offset.rawValue] = event
            }
            return state.expireUnread(
                overdue,
                policy: policy,
                after: timeout,
                at: work.moment,
                effects: &work.effects
            ) { events[$0] }
        }
    }

    private static let clean = Statement(
        """
        DELETE FROM read_receipts r USING streams s
        WHERE s.id = $2::bigint AND r.end_offset <= s.first_offset AND r.ctid = ANY (ARRAY(
            SELECT g.ctid FROM read_receipts g
            WHERE g.subscription_id = $1::bigint AND g.end_offset <= (SELECT first_offset FROM streams WHERE id = $2::bigint)
            LIMIT $3::bigint
        ))
        """
    )

    /// Removes what is left of receipts whose events are gone, at most 5000 records in one call. Costs a look at every
    /// receipt of the subscription.
    public func cleanUpReceipts(
        of subscription: SubscriptionID,
        limit: Int
    ) async throws(EventStreamingError) -> Int {
        let entry = try await receiptEntry(of: subscription)
        try Validation.checkLimit(limit)
        return try await withSession { (session) throws(EventStreamingError) in
            try session.rows(Self.clean) { parameters in
                parameters.add(entry.id)
                parameters.add(entry.stream.id)
                parameters.add(Int64(min(limit, Self.recordsPerStep)))
            }.affected
        }
    }

    // MARK: - Parts

    /// - Throws: `unknownSubscription`; `unsupported` for a subscription of another mode.
    private func receiptEntry(of subscription: SubscriptionID) async throws(EventStreamingError) -> SubscriptionEntry {
        let entry = try await gate(of: subscription).entry
        try Validation.checkKeepsReceipts(subscription, entry.mode)
        return entry
    }

    /// Changes the receipts of one user, without the subscription.
    private func changeReceipts<Result: Sendable>(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        _ body: @escaping @Sendable (Change) throws(EventStreamingError) -> Result
    ) async throws(EventStreamingError) -> Result {
        let entry = try await receiptEntry(of: subscription)
        let now = options.usesServerTime ? nil : clock.now
        return try await withSession(isCancellable: false) { (session) throws(EventStreamingError) in
            try session.transaction(orThrow: \.eventStreamingError) { (session) throws(EventStreamingError) in
                let situation = try ReceiptRows.lock(consumer, of: entry, session)
                return try body(
                    Change(
                        entry: entry,
                        kept: situation.kept,
                        now: now ?? situation.serverTime,
                        session: session
                    )
                )
            }
        }
    }
}
#endif
