import EventStreamingCore
import EventStreamingTesting

/// What became of one event at one user, without the times.
struct ReceiptState: Sendable, Hashable, CustomStringConvertible {
    var offset: Int64
    var status: ReadReceipt.Status
    var deliveries: Int

    init(_ offset: Int64, _ status: ReadReceipt.Status, deliveries: Int = 1) {
        self.offset = offset
        self.status = status
        self.deliveries = deliveries
    }

    var description: String { "\(offset) \(status) after \(deliveries)" }
}

extension StoreHarness {
    /// A stream, a subscription that keeps receipts, and its users.
    func makeReceipts(
        users: [String] = ["ada"],
        change: (inout SubscriptionDefinition) -> Void = { _ in }
    ) async throws -> (stream: StreamName, subscription: SubscriptionDefinition, users: [ConsumerRegistration]) {
        let stream = try await makeStream()
        let subscription = try await makeSubscription("notes", of: stream, .readReceipt) { definition in
            // Users live longer than any time-out of a check.
            definition.consumerTimeout = .seconds(365 * 86_400)
            change(&definition)
        }
        var registrations: [ConsumerRegistration] = []
        for name in users {
            registrations.append(try await register(name, of: subscription))
        }
        return (stream, subscription, registrations)
    }

    /// Delivers exactly these events to a user, and acknowledges them.
    func deliver(
        _ expected: Range<Int64>,
        to user: ConsumerRegistration,
        attempt: Int = 1,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let lease = try await lease(expected, as: user, attempt: attempt, file: file, line: line)
        try await store.acknowledge(lease)
    }

    /// Marks events as read.
    @discardableResult
    func markRead(_ selection: ReceiptSelection, by user: ConsumerRegistration) async throws -> Int {
        try await store.markRead(selection, by: user.consumer, of: user.subscription)
    }

    /// What is unread, one entry for each event.
    func unread(of user: ConsumerRegistration, from offset: Int64 = 0, limit: Int = 1000) async throws -> [ReceiptState]
    {
        let receipts = try await store.unreadReceipts(
            of: user.consumer,
            in: user.subscription,
            from: StreamOffset(offset),
            limit: limit
        )
        return receipts.flatMap(\.states)
    }

    /// Fails unless exactly these events are unread, by their list and by their number.
    func requireUnread(
        _ expected: [Int64],
        of user: ConsumerRegistration,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let unread = try await unread(of: user).map(\.offset)
        try requireEqual(unread, expected, "unread of \(user.consumer)", file: file, line: line)
        let count = try await store.unreadCount(of: user.consumer, in: user.subscription)
        try requireEqual(count, expected.count, "number of unread of \(user.consumer)", file: file, line: line)
    }

    /// The receipt of a user for one event.
    func receipt(of user: ConsumerRegistration, at offset: Int64) async throws -> ReadReceipt? {
        let receipts = try await store.receipts(
            for: StreamOffset(offset), in: user.subscription, after: nil, limit: 1000)
        return receipts.first { $0.consumer == user.consumer }
    }

    /// Fails unless what became of an event at a user is this; `nil` for no receipt.
    func requireReceipt(
        _ expected: ReadReceipt.Status?,
        of user: ConsumerRegistration,
        at offset: Int64,
        deliveries: Int = 1,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let receipt = try await receipt(of: user, at: offset)
        let state = expected.map { ReceiptState(offset, $0, deliveries: deliveries) }
        try requireEqual(receipt?.states ?? [], [state].compactMap(\.self), "receipt", file: file, line: line)
    }

    /// What is unread for too long, one entry for each event.
    func overdue(
        of subscription: SubscriptionDefinition,
        after timeout: Duration,
        limit: Int = 1000
    ) async throws -> [ReceiptState] {
        try await store.expiredUnreadReceipts(of: subscription.id, after: timeout, limit: limit).flatMap(\.states)
    }

    /// Does with what is unread for too long what the policy says, all of it, and returns what that was.
    func expireAll(
        of subscription: SubscriptionDefinition,
        after timeout: Duration,
        _ policy: UnreadPolicy,
        limit: Int = 1000,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> UnreadExpiry {
        var total = UnreadExpiry()
        for _ in 0..<1000 {
            let step = try await store.expireUnread(
                of: subscription.id,
                after: timeout,
                policy: policy,
                limit: limit
            )
            let count = step.requeued + step.deadLettered + step.dropped
            try require(count <= limit, "\(count) events in a step of \(limit)", file: file, line: line)
            guard !step.isEmpty else { return total }
            total.requeued += step.requeued
            total.deadLettered += step.deadLettered
            total.dropped += step.dropped
        }
        throw ConformanceFailure(message: "there is no end of what expires", file: file, line: line)
    }
}

extension ReadReceipt {
    /// One entry for each event.
    var states: [ReceiptState] {
        (offsets.lowerBound.rawValue..<offsets.upperBound.rawValue).map {
            ReceiptState($0, status, deliveries: deliveries)
        }
    }
}
