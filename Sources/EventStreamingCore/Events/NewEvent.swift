/// An event on its way into a stream.
public struct NewEvent: Sendable {
    /// Unique in the stream; appending it again with the same content returns the first result.
    public let id: MessageID
    /// The type's stable name and version.
    public let type: EventType
    /// The event itself or its bytes.
    public let payload: EventPayload
    /// The size of the payload in bytes, as encoded or as measured; what limits and statistics count.
    public let size: Int
    /// Correlation, causation and headers.
    public var context: EventContext { knownContext ?? .empty }

    /// The context; `nil` where it is empty, so that events without one share no reference count.
    package let knownContext: EventContext?

    /// Creates an event to append.
    public init(id: MessageID, type: EventType, payload: EventPayload, size: Int, context: EventContext = .empty) {
        self.id = id
        self.type = type
        self.payload = payload
        self.size = size
        knownContext = context === EventContext.empty ? nil : context
    }

    /// As above, without a look at the empty context, which all threads share: `nil` stands for it.
    package init(id: MessageID, type: EventType, payload: EventPayload, size: Int, knownContext: EventContext?) {
        self.id = id
        self.type = type
        self.payload = payload
        self.size = size
        self.knownContext = knownContext
    }
}
