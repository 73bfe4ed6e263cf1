/// Who may see a stream.
public enum StreamScope: String, Sendable, Hashable, Codable, CaseIterable {
    /// This service only. The default.
    case `internal`
    /// Other services too, through a message broker.
    case crossService
}
