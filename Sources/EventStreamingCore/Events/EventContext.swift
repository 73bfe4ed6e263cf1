/// What events that were committed together share: where they belong, what caused them, and user headers.
///
/// One object for a whole commit, so that an event costs one reference. Immutable.
public final class EventContext: Sendable {
    /// The workflow in which the events were emitted: their correlation id. `nil` for events outside any.
    public let correlationID: WorkflowID?
    /// The command or event that caused these, if known.
    public let causationID: MessageID?
    /// Headers by the user and the trace context. Names are lower case by convention.
    public let headers: [String: String]

    /// A context that says nothing.
    public static let empty = EventContext()

    /// Creates a context.
    public init(correlationID: WorkflowID? = nil, causationID: MessageID? = nil, headers: [String: String] = [:]) {
        self.correlationID = correlationID
        self.causationID = causationID
        self.headers = headers
    }
}
