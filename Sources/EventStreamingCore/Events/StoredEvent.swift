/// An event as its stream keeps it.
public struct StoredEvent: Sendable {
    /// The place in the stream.
    public let offset: StreamOffset
    /// When the store accepted it, by the wall clock. Never goes back within a stream, even when the clock does.
    public let timestamp: Timestamp
    /// Unique in the stream.
    public let id: MessageID
    /// The type's stable name and version.
    public let type: EventType
    /// The event itself or its bytes.
    public let payload: EventPayload
    /// The size of the payload in bytes, as encoded or as measured.
    public let size: Int
    /// Correlation, causation and headers.
    public var context: EventContext { knownContext ?? .empty }

    /// The context; `nil` where it is empty, so that events without one share no reference count.
    package let knownContext: EventContext?

    /// The workflow in which the event was emitted. `nil` for an event outside any.
    public var correlationID: WorkflowID? { knownContext?.correlationID }
    /// The command or event that caused this one, if known.
    public var causationID: MessageID? { knownContext?.causationID }
    /// Headers by the user and the trace context.
    public var headers: [String: String] { knownContext?.headers ?? [:] }

    /// Creates the stored form of an event.
    public init(
        offset: StreamOffset,
        timestamp: Timestamp,
        id: MessageID,
        type: EventType,
        payload: EventPayload,
        size: Int,
        context: EventContext
    ) {
        self.offset = offset
        self.timestamp = timestamp
        self.id = id
        self.type = type
        self.payload = payload
        self.size = size
        knownContext = context === EventContext.empty ? nil : context
    }

    /// As above, without a look at the empty context, which all threads share: `nil` stands for it.
    package init(
        offset: StreamOffset,
        timestamp: Timestamp,
        id: MessageID,
        type: EventType,
        payload: EventPayload,
        size: Int,
        knownContext: EventContext?
    ) {
        self.offset = offset
        self.timestamp = timestamp
        self.id = id
        self.type = type
        self.payload = payload
        self.size = size
        self.knownContext = knownContext
    }

    /// The stored form of `event`.
    public init(_ event: NewEvent, offset: StreamOffset, timestamp: Timestamp) {
        self.offset = offset
        self.timestamp = timestamp
        id = event.id
        type = event.type
        payload = event.payload
        size = event.size
        knownContext = event.knownContext
    }
}
