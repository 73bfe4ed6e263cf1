/// How a stream keeps its events.
public enum StreamType: String, Sendable, Hashable, Codable, CaseIterable {
    /// A queue: an event is kept until every subscription has finished with it, then dropped. An event that no
    /// subscription waits for is dropped at once, and counted.
    case ephemeral
    /// A log: events stay for later readers.
    case persistent
}
