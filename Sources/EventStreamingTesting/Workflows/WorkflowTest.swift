public import CQRS
public import EventStreaming
public import EventStreamingCore
import Synchronization

/// A test of a handler that works in a workflow: given this workflow, when this command comes, then this happens.
///
/// ```swift
/// try await WorkflowTest(RemindUserHandler())
///     .given(workflow: invitation)
///     .when(RemindUser(workflowID: invitation))
///     .thenEmits(UserReminded(), ReminderScheduled(day: 7))
///     .thenReturns(2)
/// ```
///
/// No service, store or clock takes part. The handler gets what it gets from a service: a command that passed its
/// validation, a `WorkflowContext` and a `MessageContext`. Ids are the same in every run. A failed expectation is an
/// error, ``WorkflowTestError``, so this works with any test framework.
public struct WorkflowTest<Handled: Command, Process: Workflow>: Sendable {
    /// What the handler is.
    public typealias Handle =
        @Sendable (_ command: Handled, _ workflow: inout WorkflowContext<Process>) async throws -> Handled.Response

    private let handle: Handle
    private var continued: WorkflowID?
    private var new: WorkflowID
    private var cause: MessageID?
    private var rules: [@Sendable (Handled, inout Violations) -> Void] = []
    private let ids = MessageIDCounter()

    // MARK: - Creating

    /// A test of a handler.
    public init<Handler: WorkflowCommandHandler>(_ handler: Handler)
    where Handler.Handled == Handled, Handler.Process == Process {
        self.init(Handled.self, in: Process.self) { command, workflow in
            try await handler.handle(command, in: &workflow)
        }
    }

    /// A test of a handler of the older style, which returns its events.
    public init<Handler: EventsCommandHandler>(_ handler: Handler)
    where Handler.Handled == Handled, Handler.Emitted.Process == Process {
        self.init(Handled.self, in: Process.self) { command, workflow in
            let (response, events) = try await handler.handle(command)
            workflow.emit(contentsOf: events)
            return response
        }
    }

    /// A test of a closure, as `CommandRegistrations.on(_:in:_:)` takes it.
    public init(_ command: Handled.Type, in process: Process.Type, _ handle: @escaping Handle) {
        self.handle = handle
        new = WorkflowID(ids.first)
    }

    // MARK: - Given

    /// The command continues this workflow, as far as the handler can tell.
    ///
    /// Without this the command says it, if it is a `WorkflowCommand`; otherwise it starts a new workflow. A
    /// `WorkflowCommand` that says something else than given here is a mistake in the test, which every expectation
    /// reports.
    public func given(workflow id: WorkflowID) -> WorkflowTest {
        with { $0.continued = id }
    }

    /// A workflow that is started gets this id; without this, `00000000-0000-0000-0000-000000000001`.
    public func given(newWorkflow id: WorkflowID) -> WorkflowTest {
        with { $0.new = id }
    }

    /// The command is sent while this event is handled, which so is the cause of what is emitted. Without this, the cause
    /// is the command itself, with an id that counts up from `00000000-0000-0000-0000-000000000001`.
    public func given(causedBy event: MessageID) -> WorkflowTest {
        with { $0.cause = event }
    }

    /// Commands must follow these rules, after those they bring along as `Validatable`; as
    /// `CommandRegistrations.validate(_:_:)` registers them.
    public func given(
        rules check: @escaping @Sendable (_ command: Handled, _ violations: inout Violations) -> Void
    ) -> WorkflowTest {
        with { $0.rules.append(check) }
    }

    private func with(_ change: (inout WorkflowTest) -> Void) -> WorkflowTest {
        var copy = self
        change(&copy)
        return copy
    }

    // MARK: - When

    /// Has the command validated and handled.
    ///
    /// - Returns: What came of it, errors included, to be compared with what is expected.
    public func when(_ command: Handled) async -> WorkflowOutcome<Handled, Process> {
        let stated = (command as? any WorkflowCommand).map(\.workflowID)
        if let continued, let stated, stated != continued {
            let other = stated.map { "continues '\($0)'" } ?? "starts a new one, its workflowID being nil"
            return WorkflowOutcome(mistake: "The workflow given is '\(continued)', but the command \(other).", in: new)
        }
        let id = continued ?? stated ?? nil
        let log = WorkflowLog()
        var response: Result<Handled.Response, any Error>
        do {
            let bus = try makeBus(workflow: id ?? new, isNew: id == nil, log: log)
            response = .success(try await bus.send(command))
        } catch {
            response = .failure(error)
        }
        return WorkflowOutcome(workflow: id ?? new, log: log.contents, response: response)
    }

    /// The bus that a service would have for this handler, with its validation.
    private func makeBus(workflow id: WorkflowID, isNew: Bool, log: WorkflowLog) throws -> CommandBus {
        let (handle, cause, command) = (handle, cause, ids.next())
        return try CommandBus { commands in
            for rule in rules {
                commands.validate(Handled.self, rule)
            }
            commands.on(Handled.self) { message in
                try await MessageContext.withCommand(command, in: id, causedBy: cause) { causationID in
                    var workflow = WorkflowContext<Process>(id: id, isNew: isNew, causationID: causationID)
                    do {
                        let response = try await handle(message, &workflow)
                        try Task.checkCancellation()
                        log.record(workflow.pendingEvents, workflow.headers, areCommitted: true)
                        return response
                    } catch {
                        log.record(workflow.pendingEvents, workflow.headers, areCommitted: false)
                        throw error
                    }
                }
            }
        }
    }
}
