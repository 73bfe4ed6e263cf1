import EventStreaming
import EventStreamingInMemory

extension EncodingStore {
    func markDelivered(
        _ offsets: [Range<StreamOffset>],
        to consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) {
        try await base.markDelivered(offsets, to: consumer, of: subscription)
    }

    func markRead(
        _ selection: ReceiptSelection,
        by consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try await base.markRead(selection, by: consumer, of: subscription)
    }

    func unreadCount(
        of consumer: ConsumerID,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try await base.unreadCount(of: consumer, in: subscription)
    }

    func unreadReceipts(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        from offset: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        try await base.unreadReceipts(of: consumer, in: subscription, from: offset, limit: limit)
    }

    func receipts(
        for offset: StreamOffset,
        in subscription: SubscriptionID,
        after consumer: ConsumerID?,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        try await base.receipts(for: offset, in: subscription, after: consumer, limit: limit)
    }

    func expiredUnreadReceipts(
        of subscription: SubscriptionID,
        after timeout: Duration,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        try await base.expiredUnreadReceipts(of: subscription, after: timeout, limit: limit)
    }

    func expireUnread(
        of subscription: SubscriptionID,
        after timeout: Duration,
        policy: UnreadPolicy,
        limit: Int
    ) async throws(EventStreamingError) -> UnreadExpiry {
        try await base.expireUnread(of: subscription, after: timeout, policy: policy, limit: limit)
    }

    func cleanUpReceipts(
        of subscription: SubscriptionID,
        limit: Int
    ) async throws(EventStreamingError) -> Int {
        try await base.cleanUpReceipts(of: subscription, limit: limit)
    }
}
