public import EventStreamingCore

extension FaultInjectingStore: ReadReceiptStore {
    /// Makes receipts, unless a fault of ``Operation/markDelivered`` applies.
    public func markDelivered(
        _ offsets: [Range<StreamOffset>],
        to consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) {
        try await perform(.markDelivered) { () async throws(EventStreamingError) in
            try await base.markDelivered(offsets, to: consumer, of: subscription)
        }
    }

    /// Marks events as read, unless a fault of ``Operation/markRead`` applies.
    public func markRead(
        _ selection: ReceiptSelection,
        by consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try await perform(.markRead) { () async throws(EventStreamingError) in
            try await base.markRead(selection, by: consumer, of: subscription)
        }
    }

    /// Counts unread events, unless a fault of ``Operation/unreadCount`` applies.
    public func unreadCount(
        of consumer: ConsumerID,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try await perform(.unreadCount) { () async throws(EventStreamingError) in
            try await base.unreadCount(of: consumer, in: subscription)
        }
    }

    /// Looks at unread events, unless a fault of ``Operation/unreadReceipts`` applies.
    public func unreadReceipts(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        from offset: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        try await perform(.unreadReceipts) { () async throws(EventStreamingError) in
            try await base.unreadReceipts(of: consumer, in: subscription, from: offset, limit: limit)
        }
    }

    /// Looks who was given an event, unless a fault of ``Operation/receipts`` applies.
    public func receipts(
        for offset: StreamOffset,
        in subscription: SubscriptionID,
        after consumer: ConsumerID?,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        try await perform(.receipts) { () async throws(EventStreamingError) in
            try await base.receipts(for: offset, in: subscription, after: consumer, limit: limit)
        }
    }

    /// Looks what was unread for too long, unless a fault of ``Operation/expiredUnreadReceipts`` applies.
    public func expiredUnreadReceipts(
        of subscription: SubscriptionID,
        after timeout: Duration,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        try await perform(.expiredUnreadReceipts) { () async throws(EventStreamingError) in
            try await base.expiredUnreadReceipts(of: subscription, after: timeout, limit: limit)
        }
    }

    /// Does with unread events what a policy says, unless a fault of ``Operation/expireUnread`` applies.
    public func expireUnread(
        of subscription: SubscriptionID,
        after timeout: Duration,
        policy: UnreadPolicy,
        limit: Int
    ) async throws(EventStreamingError) -> UnreadExpiry {
        try await perform(.expireUnread) { () async throws(EventStreamingError) in
            try await base.expireUnread(of: subscription, after: timeout, policy: policy, limit: limit)
        }
    }

    /// Removes receipts of events that are gone, unless a fault of ``Operation/cleanUpReceipts`` applies.
    public func cleanUpReceipts(
        of subscription: SubscriptionID,
        limit: Int
    ) async throws(EventStreamingError) -> Int {
        try await perform(.cleanUpReceipts) { () async throws(EventStreamingError) in
            try await base.cleanUpReceipts(of: subscription, limit: limit)
        }
    }
}
