import EventStreamingCore

/// Which events a replay has, fixed when it is made.
struct ReplayPlan: Sendable {
    let engine: Engine
    let stream: StreamName
    let options: ReplayOptions
    /// The offsets to look at.
    let range: Range<Int64>
    /// What an event has on average in the whole stream, in bytes.
    let averageSize: Int

    /// Resolves the positions of the options.
    init(_ options: ReplayOptions, of stream: StreamName, engine: Engine) async throws(EventStreamingError) {
        let metadata = try await engine.store.metadata(of: stream)
        let head = metadata.head.rawValue
        let start = try await Self.start(options.from, metadata, engine.store)
        let end = min(head, try await Self.end(options.to, metadata, engine.store))
        self.engine = engine
        self.stream = stream
        self.options = options
        range = min(start, head)..<max(min(start, head), end)
        averageSize = metadata.count > 0 ? metadata.bytes / metadata.count : 0
    }

    private static func start(
        _ position: StartPosition,
        _ metadata: StreamMetadata,
        _ store: any EventStreamingStore
    ) async throws(EventStreamingError) -> Int64 {
        switch position {
        case .beginning: return metadata.first.rawValue
        case .latest: return metadata.head.rawValue
        case .offset(let offset):
            guard offset >= metadata.first else {
                throw EventStreamingError(
                    .offsetTrimmed,
                    "Stream '\(metadata.name)' no longer has the events from \(offset) on; its oldest is at "
                        + "\(metadata.first). Replay from there, or from the beginning."
                )
            }
            return offset.rawValue
        case .timestamp, .event:
            return try await store.offset(of: position, in: metadata.name).rawValue
        }
    }

    /// - Returns: The offset after the last one.
    private static func end(
        _ position: EndPosition,
        _ metadata: StreamMetadata,
        _ store: any EventStreamingStore
    ) async throws(EventStreamingError) -> Int64 {
        switch position {
        case .latest: metadata.head.rawValue
        case .offset(let offset): offset.advanced(by: 1).rawValue
        case .timestamp(let time):
            try await store.offset(of: .timestamp(time + .nanoseconds(1)), in: metadata.name).rawValue
        case .event(let id):
            try await store.offset(of: .event(id), in: metadata.name).advanced(by: 1).rawValue
        }
    }
}

extension Engine {
    /// The event of a record as the type `E`; `nil` when it is of another one.
    func event<E: Event>(of record: StoredEvent, as type: E.Type) throws(EventStreamingError) -> E? {
        switch record.payload {
        case .value(let event): event as? E
        case .encoded(let bytes):
            record.type == EventType(type) ? try options.codec.decode(type, from: bytes) : nil
        }
    }
}
