/// An identifier that is a text with rules: it is checked once, where it is made, and can be trusted from then on.
public protocol TextIdentifier: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The identifier as text.
    var rawValue: String { get }

    /// Takes `rawValue` as the identifier.
    ///
    /// - Throws: ``EventStreamingError`` with code `invalidName` when the text breaks a rule of this kind.
    init(_ rawValue: String) throws(EventStreamingError)
}

extension TextIdentifier {
    /// The identifier as text.
    public var description: String { rawValue }

    /// Orders identifiers by their text.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Reads an identifier from its text.
    ///
    /// - Throws: `DecodingError.dataCorrupted` when the text breaks a rule.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(EventStreamingError) {
            self = try Self(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
