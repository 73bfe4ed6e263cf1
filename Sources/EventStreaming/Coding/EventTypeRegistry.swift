import EventStreamingCore

/// The event types that bytes can be decoded as, by their stable name and version.
struct EventTypeRegistry: Sendable {
    private var types: [EventType: any Event.Type] = [:]

    /// Adds a type; returns the other type that has this name and version already, if any.
    mutating func add(_ type: any Event.Type) -> (any Event.Type)? {
        let key = EventType(name: type.eventType, version: type.version)
        if let other = types[key], ObjectIdentifier(other) != ObjectIdentifier(type) { return other }
        types[key] = type
        return nil
    }

    /// The event itself, decoded where the store had only bytes.
    func event(of record: StoredEvent, codec: any EventCodec) throws(EventStreamingError) -> any Event {
        switch record.payload {
        case .value(let event):
            return event
        case .encoded(let bytes):
            guard let type = types[record.type] else {
                throw EventStreamingError(
                    .unknownEventType,
                    "Nothing is known about the event type '\(record.type)'; register it with addEvent."
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
