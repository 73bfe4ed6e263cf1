public import EventStreamingCore

/// What is being handled right now: the correlation and the cause of everything that is sent and emitted meanwhile.
///
/// Bound while a workflow's command handler or a subscription's handler runs, and inherited by its child tasks.
public struct MessageContext: Sendable {
    /// The workflow that everything belongs to. `nil` while an event outside any workflow is handled.
    public let correlationID: WorkflowID?
    /// The cause of what is emitted now: the event being handled, or the command that nothing but a person caused.
    public let causationID: MessageID
    /// Whether the cause is an event. A command sent while an event is handled passes that event on as the cause.
    let isEvent: Bool

    /// The context of the current task; `nil` outside handlers.
    @TaskLocal public static var current: MessageContext?

    /// The context for handling a command.
    static func command(_ id: MessageID, in workflow: WorkflowID) -> MessageContext {
        if let parent = current, parent.isEvent {
            return MessageContext(correlationID: workflow, causationID: parent.causationID, isEvent: true)
        }
        return MessageContext(correlationID: workflow, causationID: id, isEvent: false)
    }

    /// The context for handling an event.
    static func event(_ event: StoredEvent) -> MessageContext {
        MessageContext(correlationID: event.correlationID, causationID: event.id, isEvent: true)
    }
}
