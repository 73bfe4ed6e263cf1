public import CQRS
public import EventStreamingCore

/// A command that can continue a workflow.
///
/// A command that is no `WorkflowCommand` always starts a new workflow.
public protocol WorkflowCommand: Command {
    /// The workflow to continue; `nil` to start a new one.
    var workflowID: WorkflowID? { get }
}
