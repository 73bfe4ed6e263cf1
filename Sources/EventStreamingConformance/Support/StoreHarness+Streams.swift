import EventStreamingCore

extension StoreHarness {
    /// Creates a stream.
    func makeStream(
        _ name: String = "orders",
        _ type: StreamType = .persistent,
        capacity: Int? = nil,
        overflow: OverflowPolicy = .reject,
        retention: RetentionPolicy = .forever
    ) async throws -> StreamName {
        let name = try StreamName(name)
        try await store.createStream(
            StreamDefinition(name: name, type: type, capacity: capacity, overflow: overflow, retention: retention)
        )
        return name
    }

    /// Makes an event whose payload is the text.
    func event(_ text: String = "event", type: String = "Ordered", id: MessageID? = nil) -> NewEvent {
        let bytes = Array(text.utf8)
        return NewEvent(
            id: id ?? ids.next(),
            type: EventType(name: type),
            payload: .encoded(bytes),
            size: bytes.count
        )
    }

    /// Makes an event of a workflow, or with a partition key of its own.
    func event(of key: String, isHeader: Bool = false, type: String = "Ordered") throws -> NewEvent {
        let context = EventContext(
            correlationID: isHeader ? nil : try WorkflowID(key),
            headers: isHeader ? [PartitionKey.header: key] : [:]
        )
        let bytes = Array(key.utf8)
        return NewEvent(
            id: ids.next(),
            type: EventType(name: type),
            payload: .encoded(bytes),
            size: bytes.count,
            context: context
        )
    }

    /// Appends events of these keys, in order.
    func append(keys: [String], to stream: StreamName) async throws {
        _ = try await store.enqueue(keys.map { key in try event(of: key) }, to: stream)
    }

    /// Makes events whose payloads are their numbers.
    func events(_ count: Int, type: String = "Ordered") -> [NewEvent] {
        (0..<count).map { event(String($0), type: type) }
    }

    /// Appends new events and returns them.
    @discardableResult
    func append(_ count: Int, to stream: StreamName, type: String = "Ordered") async throws -> [NewEvent] {
        let events = events(count, type: type)
        _ = try await store.enqueue(events, to: stream)
        return events
    }

    /// All events that the stream keeps.
    func readAll(_ stream: StreamName) async throws -> [StoredEvent] {
        let metadata = try await store.metadata(of: stream)
        var result: [StoredEvent] = []
        var offset = metadata.first
        while true {
            let page = try await store.read(stream, from: offset, direction: .forward, limit: 1000)
            guard let last = page.last else { return result }
            result += page
            offset = last.offset.advanced(by: 1)
        }
    }

    /// Fails unless the stream keeps exactly these events, at these offsets.
    func requireContent(
        _ stream: StreamName,
        _ events: [NewEvent],
        from first: Int64 = 0,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let stored = try await readAll(stream)
        try requireEqual(stored.map(\.id), events.map(\.id), "ids in \(stream)", file: file, line: line)
        try requireEqual(
            stored.map(\.offset.rawValue),
            events.indices.map { first + Int64($0) },
            "offsets in \(stream)",
            file: file,
            line: line
        )
        let metadata = try await store.metadata(of: stream)
        try requireEqual(metadata.count, events.count, "count of \(stream)", file: file, line: line)
        try requireEqual(metadata.head.rawValue, first + Int64(events.count), "head", file: file, line: line)
    }
}

extension StoredEvent {
    /// The payload's bytes; `nil` when it is a value.
    var bytes: [UInt8]? {
        if case .encoded(let bytes) = payload { bytes } else { nil }
    }
}

/// The range of offsets from `lower` up to, but not including, `upper`.
func offsets(_ lower: Int64, _ upper: Int64) -> Range<StreamOffset> {
    StreamOffset(lower)..<StreamOffset(upper)
}
