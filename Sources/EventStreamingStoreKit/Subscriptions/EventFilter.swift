import EventStreamingCore

/// Decides which events a subscription wants.
struct EventFilter: Sendable {
    private let names: Set<String>?
    /// The last decision. Neighbours in a stream are mostly of few types, and types are compared by identity first.
    private var last: (type: EventType, isWanted: Bool)?

    init(_ names: Set<String>?) {
        self.names = names
    }

    /// Whether everything is wanted.
    var isOpen: Bool { names == nil }

    mutating func wants(_ type: EventType) -> Bool {
        guard let names else { return true }
        if let last, last.type == type {
            return last.isWanted
        }
        let isWanted = names.contains(type.name)
        last = (type, isWanted)
        return isWanted
    }
}
