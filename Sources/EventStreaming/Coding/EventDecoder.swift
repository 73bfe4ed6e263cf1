import EventStreamingCore

/// Makes events of what a store has, one after the other. Most are of the type of the one before, which saves a look-up.
struct EventDecoder {
    let types: EventTypeRegistry
    let codec: any EventCodec
    private var last: (type: EventType, swiftType: any Event.Type)?

    init(types: EventTypeRegistry, codec: any EventCodec) {
        self.types = types
        self.codec = codec
    }

    /// The event itself, decoded where the store had only bytes.
    mutating func event(of record: StoredEvent) throws(EventStreamingError) -> any Event {
        switch record.payload {
        case .value(let event): event
        case .encoded(let bytes): try decode(try swiftType(of: record.type), bytes)
        }
    }

    private mutating func swiftType(of type: EventType) throws(EventStreamingError) -> any Event.Type {
        if let last, last.type == type { return last.swiftType }
        guard let swiftType = types.swiftType(of: type) else {
            throw EventStreamingError(
                .unknownEventType,
                "Nothing is known about the event type '\(type)'; declare it with addEvent."
            )
        }
        last = (type, swiftType)
        return swiftType
    }

    private func decode<E: Event>(_ type: E.Type, _ bytes: [UInt8]) throws(EventStreamingError) -> any Event {
        try codec.decode(type, from: bytes)
    }
}
