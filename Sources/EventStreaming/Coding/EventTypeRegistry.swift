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

    /// The event itself, decoded where the store had only bytes.
    func event(of record: StoredEvent, codec: any EventCodec) throws(EventStreamingError) -> any Event {
        switch record.payload {
        case .value(let event):
            return event
        case .encoded(let bytes):
            guard let type = types.withLock({ $0[record.type] }) else {
                throw EventStreamingError(
                    .unknownEventType,
                    "Nothing is known about the event type '\(record.type)'; declare it with addEvent."
                )
            }
            return try decode(type, bytes, codec)
        }
    }

    private func decode<E: Event>(
        _ type: E.Type,
        _ bytes: [UInt8],
        _ codec: any EventCodec
    ) throws(EventStreamingError) -> any Event {
        try codec.decode(type, from: bytes)
    }
}
