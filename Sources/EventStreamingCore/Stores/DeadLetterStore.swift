/// Shows the events that subscriptions gave up, and gives them another chance.
///
/// A dead letter is kept in the subscription's dead-letter stream, an ordinary persistent stream that can be read and
/// subscribed to. It is *open* until it is redriven. The rules for implementers are those of ``EventStreamStore``.
public protocol DeadLetterStore: Sendable {
    /// A page of at most `limit` open dead letters with numbers from `number` on, in order.
    ///
    /// - Throws: `unknownSubscription`; `invalidArgument` for a limit below 1.
    func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter]

    /// Delivers open dead letters to their subscription again, as a first attempt. Neither the position nor other
    /// events are touched. A dead letter whose consumer's position is gone stays open. A mark that the event was processed at
    /// its position goes in the same change, and a receipt that had expired waits to be delivered again.
    ///
    /// - Parameters:
    ///   - numbers: The dead letters; those that are not open are passed over.
    ///   - subscription: The subscription that gave them up.
    /// - Returns: How many will be delivered again.
    /// - Throws: `unknownSubscription`.
    func redrive(
        _ numbers: Range<StreamOffset>,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int
}
