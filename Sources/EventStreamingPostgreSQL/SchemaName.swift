#if PostgreSQL
public import EventStreamingCore

/// The name of a database schema: 1 to 40 lower-case ASCII letters, digits and `_`, beginning with a letter, and not
/// with `pg_`. Such names need no quotes and mean the same everywhere.
public struct SchemaName: Sendable, Hashable, CustomStringConvertible {
    /// The name as text.
    public let name: String

    /// `event_streaming`.
    public static let `default` = SchemaName(unchecked: "event_streaming")

    private init(unchecked name: String) {
        self.name = name
    }

    /// Takes `name` as the name.
    ///
    /// - Throws: `invalidName`.
    public init(_ name: String) throws(EventStreamingError) {
        let isValid =
            (1...40).contains(name.utf8.count) && !name.hasPrefix("pg_")
            && name.utf8.enumerated().allSatisfy { index, byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): index > 0
                default: false
                }
            }
        guard isValid else {
            throw .invalidName(
                name,
                kind: "schema name",
                rule: "use 1 to 40 lower-case ASCII letters, digits and '_', begin with a letter, and not with 'pg_'"
            )
        }
        self.name = name
    }

    /// The name.
    public var description: String { name }
}
#endif
