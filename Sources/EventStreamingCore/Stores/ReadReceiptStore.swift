/// Remembers what the users of a subscription in mode ``SubscriptionMode/readReceipt`` were given, and what they have read.
///
/// A receipt begins when a delivery is finished: ``EventStreamStore/settle(_:)`` makes one for each event that it completes,
/// in the same change, and none for what the filter passes over. From then on it only goes forward: *delivered*, perhaps
/// *requeued* and delivered again, at last *read* or *expired*. Neighbouring events of one state share a record, so a user
/// who reads in order costs one record, however much was read.
///
/// A state never goes back, but where an operator redrives a dead letter: an event that had expired waits to be delivered
/// again then, and can be read. A requeued event that its consumer gives up for another reason, so that it becomes a dead
/// letter, has expired.
///
/// Receipts of events that the stream does not keep any more count as gone. Those of a consumer go when
/// ``SubscriptionStore/removeConsumer(_:of:)`` removes it, or, if it is temporary, when its registration ends.
///
/// The rules for implementers are those of ``EventStreamStore``. Every call throws `unknownSubscription`, and `unsupported`
/// for a subscription of another mode.
public protocol ReadReceiptStore: Sendable {
    /// Makes receipts for events that were delivered by other means than ``EventStreamStore/settle(_:)``. An event that is
    /// unread stays so, with a new time and one delivery more; one that was read or has expired does not change.
    ///
    /// - Parameters:
    ///   - offsets: The events; those that the stream does not keep are passed over.
    ///   - consumer: The user.
    ///   - subscription: The subscription.
    /// - Throws: `unknownConsumer` when the subscription has no such consumer.
    func markDelivered(
        _ offsets: [Range<StreamOffset>],
        to consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError)

    /// Marks events as read by a user; as durable as an append when this returns.
    ///
    /// - Parameters:
    ///   - selection: Which events. ``ReceiptSelection/events(_:)`` and ``ReceiptSelection/offsets(_:)`` must name events
    ///     that were delivered; ``ReceiptSelection/unread(before:)`` takes what there is.
    ///   - consumer: The user.
    ///   - subscription: The subscription.
    /// - Returns: How many were not read before. What was read already stays as it is.
    /// - Throws: `notDelivered` when an event was not delivered to this user, or is not kept any more; `receiptExpired`
    ///   when the time for reading one has passed; `unknownConsumer`. Nothing is changed then.
    func markRead(
        _ selection: ReceiptSelection,
        by consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int

    /// How many events were delivered to a user and are neither read nor expired. What was not delivered yet is not
    /// among them; ``SubscriptionStore/progress(of:)`` tells of it.
    ///
    /// - Throws: `unknownConsumer`.
    func unreadCount(
        of consumer: ConsumerID,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int

    /// The unread events of a user in order of their offsets, neighbours with one history together.
    ///
    /// - Parameters:
    ///   - consumer: The user.
    ///   - subscription: The subscription.
    ///   - offset: Where to begin.
    ///   - limit: The most events in all receipts together; the last receipt is cut where it has more.
    /// - Throws: `unknownConsumer`; `invalidArgument` for a limit below 1.
    func unreadReceipts(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        from offset: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt]

    /// Who was given an event, and what became of it there, in order of the users' names.
    ///
    /// - Parameters:
    ///   - offset: The event.
    ///   - subscription: The subscription.
    ///   - consumer: The name after which to begin; `nil` for the first.
    ///   - limit: The most receipts.
    /// - Returns: One receipt for each user that has one, just for this event.
    /// - Throws: `invalidArgument` for a limit below 1.
    func receipts(
        for offset: StreamOffset,
        in subscription: SubscriptionID,
        after consumer: ConsumerID?,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt]

    /// Unread events that were delivered `timeout` ago or earlier, by the store's clock, and do not wait to be delivered
    /// again; the oldest first, those of one time in order of the users' names.
    ///
    /// - Parameters:
    ///   - subscription: The subscription.
    ///   - timeout: How long they may be unread. At least zero, which means all of them.
    ///   - limit: The most events in all receipts together; the last receipt is cut where it has more.
    /// - Throws: `invalidArgument` for a negative time-out and a limit below 1.
    func expiredUnreadReceipts(
        of subscription: SubscriptionID,
        after timeout: Duration,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt]

    /// Does with events that were unread for too long what `policy` says, the oldest first; each event in one change with its
    /// receipt.
    ///
    /// A requeued event is delivered as a redriven dead letter is: alone, from a copy that outlives the stream's, as a first
    /// attempt. It is delivered even if the user reads it meanwhile. With ``UnreadPolicy/requeue``, an event that was delivered as often as the subscription's
    /// ``RetryPolicy/maximumAttempts`` says becomes a dead letter instead. Call it again until the result is empty.
    ///
    /// - Parameters:
    ///   - subscription: The subscription.
    ///   - timeout: How long events may be unread, by the store's clock; as in ``expiredUnreadReceipts(of:after:limit:)``.
    ///   - policy: What to do.
    ///   - limit: The most events.
    /// - Throws: `invalidArgument` for a negative time-out and a limit below 1.
    func expireUnread(
        of subscription: SubscriptionID,
        after timeout: Duration,
        policy: UnreadPolicy,
        limit: Int
    ) async throws(EventStreamingError) -> UnreadExpiry

    /// Removes what is left of receipts whose events the stream does not keep any more. Nobody sees a difference but in
    /// the space that is needed.
    ///
    /// - Parameters:
    ///   - subscription: The subscription.
    ///   - limit: The most records to remove, so that nobody waits for long.
    /// - Returns: How many records were removed; call it again until there are none.
    /// - Throws: `invalidArgument` for a limit below 1.
    func cleanUpReceipts(of subscription: SubscriptionID, limit: Int) async throws(EventStreamingError) -> Int
}

// MARK: - Convenience

extension ReadReceiptStore {
    /// Marks one event as read.
    ///
    /// - Returns: Whether it was not read before.
    /// - Throws: as ``markRead(_:by:of:)``.
    @discardableResult
    public func markRead(
        _ event: MessageID,
        by consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool {
        try await markRead(.events([event]), by: consumer, of: subscription) == 1
    }
}
