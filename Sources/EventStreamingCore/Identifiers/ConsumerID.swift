/// The name of a consumer of a subscription, for example `mailer-1` or `ada@example.org`.
///
/// 1 to 200 ASCII letters, digits and any of `._-@:+`, beginning with a letter or digit, without `..`.
public struct ConsumerID: TextIdentifier {
    private static let grammar = NameGrammar(kind: "consumer name", marks: "._-@:+")

    /// The name as text.
    public let rawValue: String

    /// Takes `rawValue` as the name.
    ///
    /// - Throws: ``EventStreamingError`` with code `invalidName` when the text does not follow the grammar.
    public init(_ rawValue: String) throws(EventStreamingError) {
        try Self.grammar.validate(rawValue)
        self.rawValue = rawValue
    }

    /// Makes a name that nobody else has. Cannot fail: the text of an id follows the grammar.
    public init(_ id: MessageID) {
        rawValue = id.description
    }

    /// Takes a subscription's name as the name. Cannot fail: its grammar is narrower.
    public init(_ subscription: SubscriptionID) {
        rawValue = subscription.rawValue
    }
}
