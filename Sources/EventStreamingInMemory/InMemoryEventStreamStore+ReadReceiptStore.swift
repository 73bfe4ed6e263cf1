public import EventStreamingCore
import EventStreamingStoreKit

extension InMemoryEventStreamStore: ReadReceiptStore {
    /// Makes receipts for events that were delivered by other means.
    public func markDelivered(
        _ offsets: [Range<StreamOffset>],
        to consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) {
        try changeReceipts(of: consumer, in: subscription) { receipts, state, moment in
            let kept = OffsetRanges(merging: offsets).intersection(state.log.first..<state.log.head)
            receipts.markDelivered(kept, to: consumer, at: moment.now, keepingFrom: state.log.first)
        }
    }

    /// Marks events as read by a user.
    public func markRead(
        _ selection: ReceiptSelection,
        by consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try changeReceipts(of: consumer, in: subscription) { (receipts, state, moment) throws(EventStreamingError) in
            let kept = state.log.first..<state.log.head
            let offsets: OffsetRanges
            switch selection {
            case .events(let events):
                offsets = try Self.offsets(of: events, in: state)
            case .offsets(let ranges):
                offsets = OffsetRanges(merging: ranges)
            case .unread(let end):
                return try receipts.modify(consumer) { runs in
                    runs.markUnreadAsRead(before: end?.rawValue, at: moment.now, keepingFrom: kept.lowerBound)
                }
            }
            return try receipts.modify(consumer) { (runs) throws(EventStreamingError) in
                try runs.markRead(offsets, at: moment.now, keeping: kept)
            }
        }
    }

    private static func offsets(
        of events: [MessageID],
        in state: StreamState
    ) throws(EventStreamingError) -> OffsetRanges {
        var ranges: [Range<StreamOffset>] = []
        for event in events {
            guard let offset = state.ids.offset(of: event) else { throw .notDelivered(event) }
            ranges.append(StreamOffset(offset)..<StreamOffset(offset + 1))
        }
        return OffsetRanges(merging: ranges)
    }

    /// How many events a user has not read. Costs a look at the user's receipts, neighbours with one state together.
    public func unreadCount(
        of consumer: ConsumerID,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try changeReceipts(of: consumer, in: subscription) { receipts, state, _ in
            receipts[consumer].unreadCount(in: state.log.first..<Int64.max)
        }
    }

    /// The unread events of a user.
    public func unreadReceipts(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        from offset: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        let handle = try receiptHandle(of: subscription)
        try Validation.checkLimit(limit)
        return try handle.withReceipts(of: consumer, at: Moment(clock)) { receipts, state, _ in
            receipts[consumer].unread(in: max(offset.rawValue, state.log.first)..<Int64.max, limit: limit)
                .map { $0.receipt(of: consumer, in: subscription) }
        }
    }

    /// Who was given an event. Costs a look at every user.
    public func receipts(
        for offset: StreamOffset,
        in subscription: SubscriptionID,
        after consumer: ConsumerID?,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        let handle = try receiptHandle(of: subscription)
        try Validation.checkLimit(limit)
        return try handle.withReceipts(at: Moment(clock)) { receipts, state, _ in
            guard state.log.first <= offset.rawValue else { return [] }
            return receipts.receipts(for: offset.rawValue, after: consumer, limit: limit)
                .map { $0.1.receipt(of: $0.0, in: subscription) }
        }
    }

    /// What was unread for too long.
    public func expiredUnreadReceipts(
        of subscription: SubscriptionID,
        after timeout: Duration,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        let handle = try receiptHandle(of: subscription)
        try Validation.check(timeout, limit: limit)
        return try handle.withReceipts(at: Moment(clock)) { receipts, state, moment in
            receipts.overdue(since: moment.now - timeout, keepingFrom: state.log.first, limit: limit)
                .map { $0.run.receipt(of: $0.consumer, in: subscription) }
        }
    }

    /// Does with events that were unread for too long what the policy says; at most 10 000 of them in one call.
    public func expireUnread(
        of subscription: SubscriptionID,
        after timeout: Duration,
        policy: UnreadPolicy,
        limit: Int
    ) async throws(EventStreamingError) -> UnreadExpiry {
        let handle = try receiptHandle(of: subscription)
        try Validation.check(timeout, limit: limit)
        return try handle.change(at: Moment(clock)) {
            (subscription, log, _, moment, effects) throws(EventStreamingError) in
            let since = moment.now - timeout
            let limit = min(limit, Limits.unreadEventsPerExpiry)
            let overdue = subscription.receipts.overdue(since: since, keepingFrom: log.first, limit: limit)
            return subscription.state.expireUnread(
                overdue,
                policy: policy,
                after: timeout,
                at: moment,
                effects: &effects,
                event: log.event(at:)
            )
        }
    }

    /// Removes what is left of receipts whose events are gone. Costs a look at every user.
    public func cleanUpReceipts(
        of subscription: SubscriptionID,
        limit: Int
    ) async throws(EventStreamingError) -> Int {
        let handle = try receiptHandle(of: subscription)
        try Validation.checkLimit(limit)
        return try handle.withReceipts(at: Moment(clock)) { receipts, state, _ in
            receipts.removeGone(before: state.log.first, limit: limit)
        }
    }

    private func changeReceipts<Result: Sendable>(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        _ body: (inout ReceiptBook, StreamState, Moment) throws(EventStreamingError) -> Result
    ) throws(EventStreamingError) -> Result {
        try receiptHandle(of: subscription).withReceipts(of: consumer, at: Moment(clock), body)
    }

    /// - Throws: `unknownSubscription`; `unsupported` for a subscription of another mode.
    private func receiptHandle(of subscription: SubscriptionID) throws(EventStreamingError) -> SubscriptionHandle {
        let handle = try handle(of: subscription)
        try Validation.checkKeepsReceipts(subscription, handle.mode)
        return handle
    }
}
