import EventStreamingCore

extension MessageID {
    init(_ wire: WireMessageId) {
        self.init(high: wire.high, low: wire.low)
    }
}

extension WireMessageId {
    init(_ id: MessageID) {
        self.init()
        high = id.high
        low = id.low
    }

    /// Whether it says: none.
    var isNone: Bool { high == 0 && low == 0 }
}

extension NewEvent {
    /// - Throws: `invalidName` for a correlation id that is none; `invalidArgument` for an event without a type, or with a
    ///   version below 0.
    init(_ wire: WireNewEvent, makeID: () -> MessageID) throws(EventStreamingError) {
        let bytes = wire.payloadBytes
        self.init(
            id: wire.id.isNone ? makeID() : MessageID(wire.id),
            type: try EventType(wireName: wire.type, version: wire.version),
            payload: .encoded(bytes),
            size: bytes.count,
            context: try EventContext(
                correlation: wire.correlationID,
                causation: wire.causationID,
                headers: wire.headers
            )
        )
    }
}

extension WireNewEvent {
    /// - Parameter bytes: The event's payload, encoded.
    init(_ event: NewEvent, payload bytes: [UInt8]) {
        self.init()
        id = WireMessageId(event.id)
        type = event.type.name
        version = Int32(clamping: event.type.version)
        payloadBytes = bytes
        let context = event.context
        guard context !== EventContext.empty else { return }
        if let correlation = context.correlationID { correlationID = correlation.rawValue }
        if let causation = context.causationID { causationID = WireMessageId(causation) }
        headers = context.headers
    }
}

extension StoredEvent {
    /// - Throws: as a new event does.
    init(_ wire: WireEvent) throws(EventStreamingError) {
        let bytes = wire.payloadBytes
        self.init(
            offset: StreamOffset(wire.offset),
            timestamp: Timestamp(nanosecondsSinceEpoch: Int64(bitPattern: wire.timestampNanos)),
            id: MessageID(wire.id),
            type: try EventType(wireName: wire.type, version: wire.version),
            payload: .encoded(bytes),
            size: bytes.count,
            context: try EventContext(
                correlation: wire.correlationID,
                causation: wire.causationID,
                headers: wire.headers
            )
        )
    }
}

extension WireEvent {
    /// - Parameter bytes: The event's payload, encoded.
    init(_ event: StoredEvent, payload bytes: [UInt8]) {
        self.init()
        offset = event.offset.rawValue
        timestampNanos = UInt64(bitPattern: event.timestamp.nanosecondsSinceEpoch)
        id = WireMessageId(event.id)
        type = event.type.name
        version = Int32(clamping: event.type.version)
        payloadBytes = bytes
        let context = event.context
        guard context !== EventContext.empty else { return }
        if let correlation = context.correlationID { correlationID = correlation.rawValue }
        if let causation = context.causationID { causationID = WireMessageId(causation) }
        headers = context.headers
    }
}

extension EventType {
    fileprivate init(wireName name: String, version: Int32) throws(EventStreamingError) {
        guard !name.isEmpty, name.utf8.count <= 1000, version >= 0 else {
            throw EventStreamingError(
                .invalidArgument,
                "An event needs the name of its type, of at most 1000 bytes, and a version that is not negative."
            )
        }
        self.init(name: name, version: max(1, Int(version)))
    }
}

extension EventContext {
    fileprivate convenience init(
        correlation: String,
        causation: WireMessageId,
        headers: [String: String]
    ) throws(EventStreamingError) {
        self.init(
            correlationID: correlation.isEmpty ? nil : try WorkflowID(correlation),
            causationID: causation.isNone ? nil : MessageID(causation),
            headers: headers
        )
    }
}
