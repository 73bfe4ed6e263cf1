/// The name of a stream, for example `user-events`.
///
/// 1 to 200 ASCII letters, digits and any of `._-`, beginning with a letter or digit, without `..`.
public struct StreamName: TextIdentifier {
    private static let grammar = NameGrammar(kind: "stream name", marks: "._-")

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
