public import EventStreamingCore
import EventStreamingStoreKit
import GRDB

extension SQLiteEventStreamStore: ReadReceiptStore {
    /// Makes receipts for events that were delivered by other means. They are on disk when this returns.
    public func markDelivered(
        _ offsets: [Range<StreamOffset>],
        to consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) {
        let moment = Moment(clock)
        try await change(durable: true) { try $0.markDelivered(offsets, to: consumer, of: subscription, at: moment) }
    }

    /// Marks events as read by a user. It is on disk when this returns.
    public func markRead(
        _ selection: ReceiptSelection,
        by consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        let moment = Moment(clock)
        return try await change(durable: true) {
            try $0.markRead(selection, by: consumer, of: subscription, at: moment)
        }
    }

    /// How many events a user has not read. Does not wait for those who write.
    public func unreadCount(
        of consumer: ConsumerID,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try database.read { database in
            let scope = try ReceiptScope(subscription, with: consumer, in: database)
            return try scope.rows(in: database).unreadCount(of: consumer)
        }
    }

    /// The unread events of a user. Does not wait for those who write.
    public func unreadReceipts(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        from offset: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        try database.read { database in
            let scope = try ReceiptScope(subscription, limit: limit, with: consumer, in: database)
            return try scope.rows(in: database).unread(of: consumer, from: offset.rawValue, limit: limit)
                .map { $0.receipt(of: consumer, in: subscription) }
        }
    }

    /// Who was given an event. Costs a look at the receipts of each user up to the last one returned.
    public func receipts(
        for offset: StreamOffset,
        in subscription: SubscriptionID,
        after consumer: ConsumerID?,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        try database.read { database in
            let scope = try ReceiptScope(subscription, limit: limit, in: database)
            return try scope.rows(in: database).receipts(for: offset.rawValue, after: consumer, limit: limit)
                .map { $0.1.receipt(of: $0.0, in: subscription) }
        }
    }

    /// What was unread for too long. Does not wait for those who write.
    public func expiredUnreadReceipts(
        of subscription: SubscriptionID,
        after timeout: Duration,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        let since = clock.now - timeout
        return try database.read { database in
            let scope = try ReceiptScope(subscription, in: database)
            try Validation.check(timeout, limit: limit)
            return try scope.rows(in: database).overdue(since: since, limit: limit)
                .map { $0.run.receipt(of: $0.consumer, in: subscription) }
        }
    }

    /// Does with events that were unread for too long what the policy says, at most 10 000 of them in one call. It is on disk
    /// when this returns.
    public func expireUnread(
        of subscription: SubscriptionID,
        after timeout: Duration,
        policy: UnreadPolicy,
        limit: Int
    ) async throws(EventStreamingError) -> UnreadExpiry {
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            try writer.checkKeepsReceipts(subscription)
            try Validation.check(timeout, limit: limit)
            return try writer.expireUnread(of: subscription, after: timeout, policy: policy, limit: limit, at: moment)
        }
    }

    /// Removes what is left of receipts whose events are gone. They are searched without keeping others from writing, which
    /// costs a look at every receipt of the subscription.
    public func cleanUpReceipts(
        of subscription: SubscriptionID,
        limit: Int
    ) async throws(EventStreamingError) -> Int {
        let gone = try database.read { database in
            let scope = try ReceiptScope(subscription, limit: limit, in: database)
            return try scope.rows(in: database).gone(limit: limit)
        }
        guard !gone.isEmpty else { return 0 }
        return try await change(durable: false) { try $0.removeGone(gone, of: subscription) }
    }
}

/// A subscription that keeps receipts, as a connection that reads finds it.
private struct ReceiptScope {
    private let id: Int64
    private let first: Int64

    /// - Throws: `unknownSubscription`; `unsupported` for a subscription of another mode; `invalidArgument` for a limit below
    ///   1; `unknownConsumer` when there is none of that name.
    init(
        _ subscription: SubscriptionID,
        limit: Int = 1,
        with consumer: ConsumerID? = nil,
        in database: Database
    ) throws {
        let query = try SQLiteStatement(
            cachedIn: database,
            """
            SELECT subscriptions.id, mode, first, EXISTS (SELECT 1 FROM consumer_offsets \
            WHERE subscription = subscriptions.id AND consumer = ?2) FROM subscriptions \
            JOIN streams ON streams.id = subscriptions.stream WHERE subscriptions.name = ?1
            """
        )
        query.bind(1, subscription.rawValue)
        query.bind(2, consumer?.rawValue)
        defer { query.reset() }
        guard try query.step() else { throw EventStreamingError.unknownSubscription(subscription) }
        id = query.int(0)
        first = query.int(2)
        try Validation.checkKeepsReceipts(subscription, SubscriptionMode(rawValue: query.text(1)))
        try Validation.checkLimit(limit)
        if let consumer, query.int(3) == 0 {
            throw EventStreamingError.unknownConsumer(consumer, of: subscription)
        }
    }

    func rows(in database: Database) -> ReceiptRows {
        ReceiptRows(of: id, keepingFrom: first, in: database)
    }
}
