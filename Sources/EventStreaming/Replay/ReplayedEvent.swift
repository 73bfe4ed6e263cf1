public import EventStreamingCore

/// An event of the past. Nothing has to be said about what became of it.
public struct ReplayedEvent: Sendable {
    /// The event as its stream keeps it: id, offset, time, correlation, headers.
    public let record: StoredEvent
    private let engine: Engine

    init(_ record: StoredEvent, engine: Engine) {
        self.record = record
        self.engine = engine
    }

    /// The event itself. Where the store keeps bytes it is decoded here, each time, so that events nobody looks at cost
    /// nothing.
    ///
    /// - Throws: `EventStreamingError` with code `unknownEventType` or `decodingFailed`. The replay can go on.
    public var event: any Event {
        get throws(EventStreamingError) { try engine.event(of: record) }
    }

    /// The offset in the stream.
    public var offset: StreamOffset { record.offset }
    /// The workflow in which the event was emitted: the correlation id. `nil` for an event outside any.
    public var workflowID: WorkflowID? { record.correlationID }
}

/// An event of the past, of a known type.
public struct TypedReplayedEvent<Value: Event>: Sendable {
    /// The event itself.
    public let event: Value
    /// The event as its stream keeps it: id, offset, time, correlation, headers.
    public let record: StoredEvent

    /// The offset in the stream.
    public var offset: StreamOffset { record.offset }
    /// The workflow in which the event was emitted: the correlation id. `nil` for an event outside any.
    public var workflowID: WorkflowID? { record.correlationID }
}
