public import EventStreamingCore

/// Dead letters of a subscription, fixed at a moment: what is given up afterwards is not among them.
///
/// A selection is a description, and small. Keep it while something long is done with it: when the process ends in the
/// middle, another one goes on with the same selection, and nothing is done twice. An event that was redriven and is given
/// up again has a number after the cut-off, so it is not redriven over and over.
public struct DeadLetterSelection: Sendable, Hashable, Codable {
    /// The subscription that gave them up.
    public let subscription: SubscriptionID
    /// Which of them are meant.
    public let filter: DeadLetterFilter
    /// The cut-off: dead letters from this number on are not meant.
    public let end: StreamOffset

    /// Creates a selection with a cut-off that is known.
    ///
    /// ``EventStreaming/EventStreaming/selectDeadLetters(of:matching:)`` makes one with the cut-off of now.
    public init(subscription: SubscriptionID, filter: DeadLetterFilter, end: StreamOffset) {
        self.subscription = subscription
        self.filter = filter
        self.end = end
    }

    /// The numbers that have to be looked at.
    var span: Range<StreamOffset> { filter.span.clamped(to: .zero..<max(.zero, end)) }
}
