/// Shows the events that subscriptions gave up, and gives them another chance.
///
/// A dead letter is kept in the subscription's dead-letter stream, an ordinary persistent stream that can be read and
/// subscribed to. It is *open* until it is redriven or discarded, and then for ever closed. Both are written down in the
/// audit, in the same change. The rules for implementers are those of ``EventStreamStore``.
///
/// Dead letters are named by ranges of their numbers, at most ``DeadLetter/maximumRangesPerCall``. Those that are not open
/// are passed over, so a call that is made once more, because its answer was lost, does nothing twice.
public protocol DeadLetterStore: Sendable {
    /// A page of at most `limit` open dead letters with numbers from `number` on, in order.
    ///
    /// - Throws: `unknownSubscription`; `invalidArgument` for a limit below 1.
    func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter]

    /// Which open dead letters ``redrive(_:of:by:)`` would deliver again now: all but those whose consumer's position is
    /// gone, or whose type the subscription does not want any more. Changes nothing.
    ///
    /// - Returns: Their numbers, in order.
    /// - Throws: `unknownSubscription`; `invalidArgument` for more ranges than allowed.
    func redrivable(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> [StreamOffset]

    /// Delivers open dead letters to their subscription again, as a first attempt. Neither the position nor other
    /// events are touched. A dead letter whose consumer's position is gone stays open, and so does one of a type that the
    /// subscription does not want any more. A mark that the event was processed at its position goes in the same change,
    /// and a receipt that had expired waits to be delivered again.
    ///
    /// - Parameters:
    ///   - numbers: The dead letters; those that are not open are passed over.
    ///   - subscription: The subscription that gave them up.
    ///   - note: Who does it, and why.
    /// - Returns: The numbers of those that will be delivered again, in order.
    /// - Throws: `unknownSubscription`; `invalidArgument` for more ranges than allowed, or a note that is too long.
    func redrive(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset]

    /// Gives open dead letters up for good: they are not open any more, and nothing waits behind them. Their records stay in the dead-letter stream for as
    /// long as that keeps them.
    ///
    /// - Parameters:
    ///   - numbers: The dead letters; those that are not open are passed over.
    ///   - subscription: The subscription that gave them up.
    ///   - note: Who does it, and why.
    /// - Returns: The numbers of those that were discarded, in order.
    /// - Throws: `unknownSubscription`; `invalidArgument` for more ranges than allowed, or a note that is too long.
    func discard(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset]

    /// A page of at most `limit` entries of the audit with numbers from `number` on, in order. What was done with a dead
    /// letter stays in the audit when its record is trimmed.
    ///
    /// - Throws: `unknownSubscription`; `invalidArgument` for a limit below 1.
    func deadLetterAudit(
        of subscription: SubscriptionID,
        from number: Int64,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetterAuditEntry]
}

// MARK: - Convenience

extension DeadLetterStore {
    /// Delivers dead letters again for the service itself: the audit names `service` as the actor, and no reason.
    ///
    /// - Returns: How many will be delivered again.
    /// - Throws: as ``redrive(_:of:by:)``.
    public func redrive(
        _ numbers: Range<StreamOffset>,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        try await redrive([numbers], of: subscription, by: AuditNote(by: "service", because: "")).count
    }
}
