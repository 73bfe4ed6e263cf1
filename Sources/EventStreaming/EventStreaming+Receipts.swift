public import EventStreamingCore

// What the users of a subscription in mode `readReceipt` have read. None of this needs a loop, or a service that runs: a
// request of a user's browser may come to any process that shares the store. What loops of this service are done with is
// told to the store first; those of other processes tell it by themselves.
extension EventStreaming {
    // MARK: - Reading

    /// Marks an event as read by a user; as durable as an append when this returns. One that was read before stays as it is.
    ///
    /// - Parameters:
    ///   - event: The event's id, `Delivery.record.id`.
    ///   - subscription: The subscription's name.
    ///   - consumer: The user: the name under which the event was delivered.
    /// - Returns: Whether it was unread before.
    /// - Throws: `EventStreamingError` with code `notDelivered` when the event was not delivered to this user, or is not kept
    ///   any more; `receiptExpired` when the time for reading it has passed; `unknownConsumer` for a user to whom nothing was
    ///   ever delivered; `unsupported` for a subscription in another mode; `unknownSubscription` or `invalidName`; or what
    ///   the store reports.
    @discardableResult
    public func markAsRead(
        _ event: MessageID,
        of subscription: String,
        by consumer: String
    ) async throws(EventStreamingError) -> Bool {
        try await markAsRead(.events([event]), of: subscription, by: consumer) == 1
    }

    /// Marks events as read by a user, all in one change, or none when one of them cannot be marked.
    ///
    /// - Parameters:
    ///   - events: The events' ids, at most 10 000.
    ///   - subscription: The subscription's name.
    ///   - consumer: The user.
    /// - Returns: How many were unread before.
    /// - Throws: As ``markAsRead(_:of:by:)-(MessageID,_,_)``, and `invalidArgument` for more events.
    @discardableResult
    public func markAsRead(
        _ events: [MessageID],
        of subscription: String,
        by consumer: String
    ) async throws(EventStreamingError) -> Int {
        guard events.count <= 10_000 else {
            throw EventStreamingError(
                .invalidArgument,
                "\(events.count) events are to be marked as read; mark at most 10000 at once."
            )
        }
        return try await markAsRead(.events(events), of: subscription, by: consumer)
    }

    /// Marks everything as read that was delivered to a user and is unread, all in one change. What is delivered meanwhile
    /// may be unread afterwards.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - consumer: The user.
    ///   - offset: The offset to stop before, for example the one after the newest event that the user was shown; `nil` for
    ///     all.
    /// - Returns: How many were unread before.
    /// - Throws: As ``markAsRead(_:of:by:)-(MessageID,_,_)``, but neither `notDelivered` nor `receiptExpired`.
    @discardableResult
    public func markAllAsRead(
        of subscription: String,
        by consumer: String,
        before offset: StreamOffset? = nil
    ) async throws(EventStreamingError) -> Int {
        try await markAsRead(.unread(before: offset), of: subscription, by: consumer)
    }

    private func markAsRead(
        _ selection: ReceiptSelection,
        of subscription: String,
        by consumer: String
    ) async throws(EventStreamingError) -> Int {
        let (consumer, plan) = try await user(consumer, of: subscription)
        let count = try await engine.store.markRead(selection, by: consumer, of: plan.definition.id)
        if count > 0 {
            engine.activity.notify()
        }
        return count
    }

    // MARK: - Looking

    /// How many events were delivered to a user and are unread. Events that the user's consumer has not fetched yet are not
    /// among them.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - consumer: The user.
    /// - Throws: `EventStreamingError` with code `unknownConsumer` for a user to whom nothing was ever delivered;
    ///   `unsupported` for a subscription in another mode; `unknownSubscription` or `invalidName`; or what the store reports.
    public func unreadCount(
        of subscription: String,
        for consumer: String
    ) async throws(EventStreamingError) -> Int {
        let (consumer, plan) = try await user(consumer, of: subscription)
        return try await engine.store.unreadCount(of: consumer, in: plan.definition.id)
    }

    /// A page of the events that were delivered to a user and are unread, in order.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - consumer: The user.
    ///   - offset: Where to begin; for the next page, the offset after the last event of this one.
    ///   - limit: The most events to read, 1 to 10 000. 100 by default.
    /// - Returns: The events; fewer than `limit` at the end, and where some are removed from the stream at this moment.
    /// - Throws: As ``unreadCount(of:for:)``, and `invalidArgument` for a limit outside what is allowed.
    public func unread(
        of subscription: String,
        for consumer: String,
        from offset: StreamOffset = .zero,
        limit: Int = 100
    ) async throws(EventStreamingError) -> [UnreadEvent] {
        try Self.check(limit)
        let (consumer, plan) = try await user(consumer, of: subscription)
        let receipts = try await engine.store.unreadReceipts(
            of: consumer,
            in: plan.definition.id,
            from: offset,
            limit: limit
        )
        return try await engine.unreadEvents(receipts, of: plan.definition.stream)
    }

    /// A page of the users to whom an event was delivered, in order of their names, each with what became of it: delivered,
    /// read and when, or expired.
    ///
    /// - Parameters:
    ///   - event: The event's id.
    ///   - subscription: The subscription's name.
    ///   - consumer: The user after whom to begin, for the next page; by default at the first.
    ///   - limit: The most receipts to read, 1 to 10 000. 100 by default.
    /// - Returns: One receipt for each user who has one.
    /// - Throws: `EventStreamingError` with code `unknownEvent` when the stream does not keep the event; `unsupported` for a
    ///   subscription in another mode; `invalidArgument`, `unknownSubscription` or `invalidName`; or what the store reports.
    public func receipts(
        for event: MessageID,
        in subscription: String,
        after consumer: String? = nil,
        limit: Int = 100
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        let consumer = try consumer.map { name throws(EventStreamingError) in try ConsumerID(name) }
        let plan = try receipts(of: subscription)
        try Self.check(limit)
        try await engine.preparation.ready()
        let offset = try await engine.store.offset(of: .event(event), in: plan.definition.stream)
        return try await engine.store.receipts(for: offset, in: plan.definition.id, after: consumer, limit: limit)
    }

    /// The user and the subscription, which must be one with receipts; ready to be asked about.
    private func user(
        _ consumer: String,
        of subscription: String
    ) async throws(EventStreamingError) -> (ConsumerID, SubscriptionPlan) {
        let (consumer, plan) = (try ConsumerID(consumer), try receipts(of: subscription))
        try await engine.preparation.ready()
        await engine.reportFinished(for: consumer, in: plan.definition.id)
        return (consumer, plan)
    }

    /// The subscription, which must be one with receipts.
    private func receipts(of subscription: String) throws(EventStreamingError) -> SubscriptionPlan {
        let id = try SubscriptionID(subscription)
        guard let plan = engine.plans[id] else { throw .unknownSubscription(id) }
        guard plan.keepsReceipts else { throw .noReceipts(in: plan.definition) }
        return plan
    }
}
