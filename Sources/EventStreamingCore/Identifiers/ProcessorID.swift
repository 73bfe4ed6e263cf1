/// Who has processed an event: the identity of a position in a stream.
///
/// Where consumers share a position, whatever their names, it is the subscription: `welcome-mail`. Where each has its own,
/// it is `subscription/consumer`: `admin-notifications/admin-123`. So it stays the same when a service starts again, and an
/// event that was processed at a position is known there, whoever asks.
public struct ProcessorID: TextIdentifier {
    /// The processor as text.
    public let rawValue: String

    /// Takes `rawValue` as the processor.
    ///
    /// - Throws: ``EventStreamingError`` with code `invalidName` when the text is not the name of a subscription, or of a
    ///   subscription and a consumer with a `/` in between.
    public init(_ rawValue: String) throws(EventStreamingError) {
        let parts = rawValue.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let subscription = try SubscriptionID(parts.first ?? "")
        let consumer: ConsumerID? = parts.count > 1 ? try ConsumerID(parts[1]) : nil
        self.init(subscription, consumer: consumer)
    }

    /// The processor that is a position of a subscription.
    ///
    /// - Parameters:
    ///   - subscription: The subscription.
    ///   - consumer: The consumer whose position it is; `nil` for the position that consumers share.
    public init(_ subscription: SubscriptionID, consumer: ConsumerID?) {
        rawValue = consumer.map { "\(subscription.rawValue)/\($0.rawValue)" } ?? subscription.rawValue
    }
}

extension SubscriptionDefinition {
    /// Who processes the events that a consumer of this subscription gets: the subscription where consumers share a
    /// position, otherwise the consumer.
    public func processor(of consumer: ConsumerID?) -> ProcessorID {
        ProcessorID(id, consumer: mode.sharesPosition ? nil : consumer)
    }
}
