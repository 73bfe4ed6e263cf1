public import CQRS
public import EventStreamingCore

/// Handles one type of command in a workflow, and emits the workflow's events.
///
/// Command, response and workflow are inferred from `handle`. A handler is a value made once and used from many tasks
/// at once; what it depends on is given to its initialiser.
public protocol WorkflowCommandHandler<Handled, Process>: Sendable {
    /// The command handled.
    associatedtype Handled: Command
    /// The process whose events are emitted.
    associatedtype Process: Workflow

    /// Does what `command` asks and emits what happened.
    ///
    /// When this returns, the pending events are committed in one append; the command's sender gets the response only
    /// after that. When this throws, or the task is cancelled before the commit, nothing is emitted.
    func handle(
        _ command: Handled,
        in workflow: inout WorkflowContext<Process>
    ) async throws -> Handled.Response
}
