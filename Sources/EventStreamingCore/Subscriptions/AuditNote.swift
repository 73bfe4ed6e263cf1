/// Who does something with dead letters, and why: kept in the audit.
public struct AuditNote: Sendable, Hashable, Codable {
    /// How many bytes ``actor`` may have.
    public static let maximumActorLength = 200
    /// How many bytes ``reason`` may have.
    public static let maximumReasonLength = 1000

    /// Who: 1 to 200 bytes of any text but U+0000.
    public var actor: String
    /// Why: at most 1000 bytes of any text but U+0000.
    public var reason: String

    /// Creates a note.
    public init(by actor: String, because reason: String) {
        self.actor = actor
        self.reason = reason
    }
}
