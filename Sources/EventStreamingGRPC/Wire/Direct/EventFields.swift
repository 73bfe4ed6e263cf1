import EventStreamingCore

/// The numbers of an event's fields; those of one that is to be kept, and of one that is.
struct EventFieldNumbers {
    let id: UInt8
    let type: UInt8
    let version: UInt8
    let payload: UInt8
    let correlation: UInt8
    let causation: UInt8
    let headers: UInt8

    /// Of `WireNewEvent`.
    static let new = EventFieldNumbers(from: 1)
    /// Of `WireEvent`, where offset and time come before.
    static let stored = EventFieldNumbers(from: 3)

    private init(from first: UInt8) {
        id = first
        type = first + 1
        version = first + 2
        payload = first + 3
        correlation = first + 4
        causation = first + 5
        headers = first + 6
    }
}

/// What all events have on the wire.
struct EventFields {
    let id: MessageID
    let type: EventType
    let payload: [UInt8]
    /// `nil` where it is empty.
    let context: EventContext?

    init(_ event: StoredEvent) {
        self.init(id: event.id, type: event.type, payload: event.payload, context: event.knownContext)
    }

    init(_ event: NewEvent) {
        self.init(id: event.id, type: event.type, payload: event.payload, context: event.knownContext)
    }

    private init(id: MessageID, type: EventType, payload: EventPayload, context: EventContext?) {
        self.id = id
        self.type = type
        self.payload = if case .encoded(let bytes) = payload { bytes } else { [] }
        self.context = context
    }

    // MARK: - Writing

    var size: Int {
        var size = ProtobufSize.message(Self.size(of: id))
        size += ProtobufSize.field(type.name) + ProtobufSize.field(UInt64(clamping: type.version))
        size += ProtobufSize.bytes(payload.count)
        guard let context else { return size }
        if let correlation = context.correlationID { size += ProtobufSize.field(correlation.rawValue) }
        if let causation = context.causationID { size += ProtobufSize.message(Self.size(of: causation)) }
        for (name, value) in context.headers {
            size += ProtobufSize.message(ProtobufSize.field(name) + ProtobufSize.field(value))
        }
        return size
    }

    private static func size(of id: MessageID) -> Int { ProtobufSize.fixed(id.high) + ProtobufSize.fixed(id.low) }

    func write(_ fields: EventFieldNumbers, to writer: inout ProtobufWriter) {
        Self.write(id, fields.id, to: &writer)
        writer.field(fields.type, type.name)
        writer.field(fields.version, UInt64(clamping: type.version))
        writer.field(fields.payload, payload)
        guard let context else { return }
        if let correlation = context.correlationID { writer.field(fields.correlation, correlation.rawValue) }
        if let causation = context.causationID { Self.write(causation, fields.causation, to: &writer) }
        for (name, value) in context.headers {
            writer.begin(fields.headers, size: ProtobufSize.field(name) + ProtobufSize.field(value))
            writer.field(1, name)
            writer.field(2, value)
        }
    }

    private static func write(_ id: MessageID, _ number: UInt8, to writer: inout ProtobufWriter) {
        writer.begin(number, size: size(of: id))
        writer.fixed(1, id.high)
        writer.fixed(2, id.low)
    }
}

/// Reads events, most of which are of a few types.
struct EventFieldReader {
    private static let maximumTypes = 16

    private let fields: EventFieldNumbers
    private var types: [(name: UnsafeRawBufferPointer, version: UInt64, type: EventType)] = []

    init(_ fields: EventFieldNumbers) {
        self.fields = fields
    }

    /// What an event has besides offset and time.
    struct Event {
        var id: MessageID?
        var type: EventType
        var payload: [UInt8]
        /// `nil` where it is empty.
        var context: EventContext?
    }

    /// Reads the fields from `key` on, to the end.
    ///
    /// - Returns: `nil` where something is not as our own writer has it, or not as it has to be.
    mutating func read(from key: UInt64?, _ reader: inout ProtobufReader) -> Event? {
        var key = key
        var id: MessageID?
        var (name, version): (UnsafeRawBufferPointer?, UInt64) = (nil, 0)
        var payload: [UInt8] = []
        var (correlation, causation, headers): (WorkflowID?, MessageID?, [String: String]) = (nil, nil, [:])
        var last: UInt64 = 0
        while let present = key {
            let number = present >> 3
            // Each once, in order, but for the entries of the map.
            guard present < 128, number > last || number == UInt64(fields.headers) else { return nil }
            last = number
            switch (UInt8(truncatingIfNeeded: number), present & 7) {
            case (fields.id, 2):
                guard let read = reader.messageID() else { return nil }
                id = read
            case (fields.type, 2):
                guard let read = reader.bytes() else { return nil }
                name = read
            case (fields.version, 0):
                guard let read = reader.varint() else { return nil }
                version = read
            case (fields.payload, 2):
                guard let read = reader.bytes() else { return nil }
                payload = Array(read)
            case (fields.correlation, 2):
                guard let text = reader.text(), let read = try? WorkflowID(text) else { return nil }
                correlation = read
            case (fields.causation, 2):
                guard let read = reader.messageID(), read.high != 0 || read.low != 0 else { return nil }
                causation = read
            case (fields.headers, 2):
                guard let entry = reader.entry() else { return nil }
                headers[entry.key] = entry.value
            default: return nil
            }
            guard !reader.isAtEnd else { break }
            guard let next = reader.varint() else { return nil }
            key = next
        }
        guard let name, let type = type(name, version) else { return nil }
        let isEmpty = correlation == nil && causation == nil && headers.isEmpty
        return Event(
            id: id,
            type: type,
            payload: payload,
            context: isEmpty
                ? nil : EventContext(correlationID: correlation, causationID: causation, headers: headers)
        )
    }

    private mutating func type(_ name: UnsafeRawBufferPointer, _ version: UInt64) -> EventType? {
        for known in types where known.version == version && known.name.elementsEqual(name) { return known.type }
        guard !name.isEmpty, name.count <= 1000, version <= UInt64(Int32.max),
            let text = String(validating: name, as: UTF8.self)
        else { return nil }
        let type = EventType(sharing: text, version: max(1, Int(version)))
        if types.count == Self.maximumTypes { types.removeFirst() }
        types.append((name, version, type))
        return type
    }
}
