public import CQRS
public import EventStreamingCore

/// The older style of a command handler: it returns the events to emit.
///
/// The guarantees are those of ``WorkflowCommandHandler``: committed together and in order after the handler returned,
/// nothing when it throws or is cancelled.
public protocol EventsCommandHandler<Handled, Emitted>: Sendable {
    /// The command handled.
    associatedtype Handled: Command
    /// The type of the events returned.
    associatedtype Emitted: Event

    /// Does what `command` asks; returns the response and the events to emit, in order.
    func handle(_ command: Handled) async throws -> (response: Handled.Response, events: [Emitted])
}
