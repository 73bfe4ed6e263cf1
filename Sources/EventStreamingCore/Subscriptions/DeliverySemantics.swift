/// How often a consumer may see an event.
public enum DeliverySemantics: String, Sendable, Hashable, Codable, CaseIterable {
    /// Never twice, perhaps not at all: an event counts as done when it is handed out.
    case atMostOnce
    /// At least once: an event is delivered until it is acknowledged, so a crash may repeat it. The default.
    case atLeastOnce
    /// The effect happens once: what the handler writes, the mark that the event was processed and the checkpoint are
    /// committed in one transaction of the store. Needs a store with transactions and a handler that takes them; effects
    /// outside of the transaction are not covered. The same as `.exactlyOnce(.transactional)`.
    case exactlyOnce
    /// As `.exactlyOnce(.lockAndMark)`, which is how to write it.
    case exactlyOnceByMark

    /// How an event is kept from being processed twice.
    public enum ExactlyOnceForm: Sendable, Hashable, CaseIterable {
        /// The handler's writes, the mark and the checkpoint commit together. At most one effect of an event is ever
        /// committed, whatever crashes.
        case transactional
        /// The handler may do anything; the event is locked while it works, and marked when it is done. At most one
        /// *completed* processing for each event: a crash between an effect and the mark repeats the effect.
        case lockAndMark
    }

    /// Exactly once, in the form given. Writing `.exactlyOnce(.lockAndMark)` says that a crash may repeat an effect.
    public static func exactlyOnce(_ form: ExactlyOnceForm) -> DeliverySemantics {
        switch form {
        case .transactional: .exactlyOnce
        case .lockAndMark: .exactlyOnceByMark
        }
    }

    /// How an event is kept from being processed twice; `nil` at most and at least once.
    public var exactlyOnceForm: ExactlyOnceForm? {
        switch self {
        case .atMostOnce, .atLeastOnce: nil
        case .exactlyOnce: .transactional
        case .exactlyOnceByMark: .lockAndMark
        }
    }
}
