import EventStreamingCore
import Synchronization

/// Remembers the description of every event type seen, because making one costs more than everything else in an emit.
final class EventTypeCatalog: Sendable {
    private let types = Mutex<[ObjectIdentifier: EventType]>([:])

    func type<E: Event>(of type: E.Type) -> EventType {
        let key = ObjectIdentifier(type)
        if let known = types.withLock({ $0[key] }) { return known }
        let made = EventType(type)
        return types.withLock { types in
            if let known = types[key] { return known }
            types[key] = made
            return made
        }
    }
}
