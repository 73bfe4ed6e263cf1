/// How often a consumer may see an event.
public enum DeliverySemantics: String, Sendable, Hashable, Codable, CaseIterable {
    /// Never twice, perhaps not at all: an event counts as done when it is handed out.
    case atMostOnce
    /// At least once: an event is delivered until it is acknowledged, so a crash may repeat it. The default.
    case atLeastOnce
    /// The effect happens once.
    case exactlyOnce
}
