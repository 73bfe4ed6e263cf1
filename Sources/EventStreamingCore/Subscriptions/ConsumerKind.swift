/// Whether a consumer's position outlives it.
public enum ConsumerKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// The position stays when the consumer leaves, and the next consumer of that name goes on from there.
    case durable
    /// The position goes with the consumer.
    case temporary
}
