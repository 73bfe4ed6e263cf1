/// The name of a subscription, for example `welcome-mail`.
///
/// 1 to 200 ASCII letters, digits and any of `._-`, beginning with a letter or digit, without `..`.
public struct SubscriptionID: TextIdentifier {
    private static let grammar = NameGrammar(kind: "subscription name", marks: "._-")

    /// The name as text.
    public let rawValue: String

    /// Takes `rawValue` as the name.
    ///
    /// - Throws: ``EventStreamingError`` with code `invalidName` when the text does not follow the grammar.
    public init(_ rawValue: String) throws(EventStreamingError) {
        try Self.grammar.validate(rawValue)
        self.rawValue = rawValue
    }
}
