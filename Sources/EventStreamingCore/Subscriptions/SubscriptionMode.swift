/// Who gets which event.
public enum SubscriptionMode: String, Sendable, Hashable, Codable, CaseIterable {
    /// Every consumer gets every event.
    case broadcast
    /// Consumers compete; each event goes to one of them.
    case exclusive
    /// Consumers are the members of a group that share out the partitions of the stream; events of one key, by default
    /// of one workflow, are handled one after the other.
    case consumerGroup
    /// As broadcast, and the consumer confirms what its user has read.
    case readReceipt

    /// Whether consumers share one position, rather than have one each.
    package var sharesPosition: Bool { self == .exclusive || self == .consumerGroup }
}
