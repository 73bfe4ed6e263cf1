/// What somebody did with a dead letter; written down in the same change, and never changed.
public struct DeadLetterAuditEntry: Sendable, Hashable {
    /// What was done.
    public enum Action: String, Sendable, Hashable, Codable, CaseIterable {
        /// It was delivered again.
        case redriven
        /// It was given up for good.
        case discarded
    }

    /// The place in the audit: grows with every entry of a subscription. There may be gaps.
    public let number: Int64
    /// What was done.
    public let action: Action
    /// The dead letter's number.
    public let deadLetter: StreamOffset
    /// The event that it is about.
    public let event: MessageID
    /// The subscription that had given it up.
    public let subscription: SubscriptionID
    /// The consumer whose position it belonged to; `nil` where competing consumers share one.
    public let consumer: ConsumerID?
    /// Who did it, and why.
    public let note: AuditNote
    /// When, by the wall clock.
    public let time: Timestamp

    /// Creates an entry; only stores do.
    public init(
        number: Int64,
        action: Action,
        deadLetter: StreamOffset,
        event: MessageID,
        subscription: SubscriptionID,
        consumer: ConsumerID?,
        note: AuditNote,
        time: Timestamp
    ) {
        self.number = number
        self.action = action
        self.deadLetter = deadLetter
        self.event = event
        self.subscription = subscription
        self.consumer = consumer
        self.note = note
        self.time = time
    }
}
