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
    ///
    /// Only at least once, because a receipt begins when the consumer has finished with an event; and only for streams of
    /// type ``StreamType/persistent``, because an event must outlive its delivery to be read later. Anything else is refused
    /// with `invalidArgument`.
    case readReceipt
}

extension SubscriptionMode {
    /// Whether all consumers share one position, and so each event is processed by one of them.
    public var sharesPosition: Bool {
        switch self {
        case .exclusive, .consumerGroup: true
        case .broadcast, .readReceipt: false
        }
    }
}
