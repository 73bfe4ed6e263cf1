import CQRS
import EventStreamingCore
import Logging

/// Runs command handlers in workflows: identity before, one commit after.
struct WorkflowRunner: Sendable {
    let appender: Appender
    let lifecycle: Lifecycle

    func run<C: Command, Process: Workflow>(
        _ command: C,
        in process: Process.Type,
        _ body: @Sendable (C, inout WorkflowContext<Process>) async throws -> C.Response
    ) async throws -> C.Response {
        try lifecycle.admit()
        let commandID = appender.ids.next()
        let continued = (command as? any WorkflowCommand)?.workflowID
        let id = continued ?? WorkflowID(commandID)
        let context = MessageContext.command(commandID, in: id)
        return try await MessageContext.$current.withValue(context) {
            try await withLogger(mergingMetadata: [LogKey.correlationID: .string(id.rawValue)]) { _ in
                var workflow = WorkflowContext<Process>(
                    id: id,
                    isNew: continued == nil,
                    causationID: context.causationID
                )
                let response = try await body(command, &workflow)
                try Task.checkCancellation()
                try await commit(workflow)
                return response
            }
        }
    }

    private func commit<Process: Workflow>(
        _ workflow: borrowing WorkflowContext<Process>
    ) async throws {
        let events = workflow.pendingEvents
        let writes = workflow.writes
        guard !events.isEmpty || !writes.isEmpty else { return }
        let context = EventContext(
            correlationID: workflow.id,
            causationID: workflow.causationID,
            headers: workflow.headers
        )
        let stream = try appender.streams.stream(of: Process.self)
        guard writes.isEmpty else {
            return try await appender.append(events, to: stream, context: context, with: writes)
        }
        _ = try await appender.append(events, to: stream, context: context)
    }
}
