import EventStreamingCore
import Logging
import Synchronization

/// The event types that bytes can be decoded as, by their stable name and version.
///
/// Types are known because they were declared, or because the process has emitted them. What was only emitted is not
/// known any more after a restart, so it is told once in the log.
final class EventTypeRegistry: Sendable {
    private let types: Mutex<[EventType: any Event.Type]>
    private let logger: Logger

    init(_ types: [any Event.Type] = [], logger: Logger) {
        let entries = types.map { (EventType(name: $0.eventType, version: $0.version), $0) }
        self.types = Mutex(Dictionary(entries) { first, _ in first })
        self.logger = logger
    }

    /// Notes a type that is emitted as bytes.
    func learn<E: Event>(_ type: EventType, as swiftType: E.Type) {
        let isNew = types.withLock { types in
            guard types[type] == nil else { return false }
            types[type] = swiftType
            return true
        }
        if isNew {
            logger.warning(
                """
                An event type is emitted that was not declared. Its events cannot be delivered after a restart, until \
                one is emitted again: declare it with addEvent.
                """,
                metadata: [LogKey.eventType: "\(type)"]
            )
        }
    }

    /// The Swift type of a description; `nil` where nothing is known about it.
    func swiftType(of type: EventType) -> (any Event.Type)? {
        types.withLock { $0[type] }
    }
}
