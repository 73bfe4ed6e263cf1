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
        guard let keyed = KeyedSending.of(C.self) else {
            return try await handle(command, id: appender.ids.next(), nil, body)
        }
        keyed.take()
        // What the handler sends has no key of its own.
        return try await KeyedSending.$current.withValue(nil) { try await runOnce(command, keyed, body) }
    }

    private func handle<C: Command, Process: Workflow>(
        _ command: C,
        id commandID: MessageID,
        _ keyed: KeyedSend<C>?,
        _ body: @Sendable (C, inout WorkflowContext<Process>) async throws -> C.Response
    ) async throws -> C.Response {
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
                try await commit(workflow, keyed?.record(response))
                return response
            }
        }
    }

    private func commit<Process: Workflow>(
        _ workflow: borrowing WorkflowContext<Process>,
        _ record: CommandRecord?
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
            return try await appender.append(events, to: stream, context: context, record: record, with: writes)
        }
        let result = try await appender.append(events, to: stream, context: context, record: record)
        if record != nil, result.isDuplicate { throw EventStreamingError.recordedMeanwhile }
    }

    // MARK: - With a key

    /// Runs the handler, unless the command has had its effect.
    private func runOnce<C: Command, Process: Workflow>(
        _ command: C,
        _ keyed: KeyedSend<C>,
        _ body: @Sendable (C, inout WorkflowContext<Process>) async throws -> C.Response
    ) async throws -> C.Response {
        let stream = try appender.streams.stream(of: Process.self)
        if let response = try await recorded(keyed, in: stream) { return response }
        do {
            return try await handle(command, id: keyed.key.commandID, keyed, body)
        } catch {
            // Another may have been faster, whose rows or events this one met; or the answer to this one's commit was lost.
            let response: C.Response?
            do throws(EventStreamingError) {
                response = try await recorded(keyed, in: stream)
            } catch  where error.code != .idempotencyKeyConflict {
                response = nil
            }
            guard let response else { throw error }
            return response
        }
    }

    /// The response that was recorded in a stream; `nil` when there is none, or no longer.
    private func recorded<C: Command>(
        _ keyed: KeyedSend<C>,
        in stream: StreamName
    ) async throws(EventStreamingError) -> C.Response? {
        try await appender.preparation.ready()
        let id = keyed.key.eventID(0)
        let page: [StoredEvent]
        do throws(EventStreamingError) {
            let offset = try await appender.store.offset(of: .event(id), in: stream)
            page = try await appender.store.read(stream, from: offset, direction: .forward, limit: 1)
        } catch  where error.code == .unknownEvent || error.code == .offsetTrimmed {
            return nil
        }
        guard let event = page.first, event.id == id else { return nil }
        return try keyed.response(recordedWith: event)
    }
}

extension EventStreamingError {
    /// Seen only by who sends a command again when its stream has dropped the events at that very moment.
    static let recordedMeanwhile = EventStreamingError(
        .storeUnavailable,
        "The same command has had its effect meanwhile, but its response cannot be read; send it again."
    )
}
