public import CQRS
public import EventStreamingCore

/// Gathers the command handlers of a service; `streaming.commands` in the configuration.
///
/// Everything is checked when the configuration is complete: a second handler for a command, or a missing one that was
/// required, is reported then, together with all other problems.
public struct CommandRegistrations: ~Copyable {
    typealias Registration = (_ bus: inout CommandBusBuilder, _ runner: WorkflowRunner) -> Void

    private var registrations: [Registration] = []

    init() {}

    /// Applies everything to a bus under construction.
    func apply(to bus: inout CommandBusBuilder, runner: WorkflowRunner) {
        for register in registrations {
            register(&bus, runner)
        }
    }

    // MARK: With a workflow

    /// Registers a handler that works in a workflow. Command, response and workflow are inferred.
    public mutating func add<Handler: WorkflowCommandHandler>(_ handler: Handler) {
        on(Handler.Handled.self, in: Handler.Process.self) { command, workflow in
            try await handler.handle(command, in: &workflow)
        }
    }

    /// Registers a small handler that works in a workflow.
    ///
    /// - Parameters:
    ///   - command: The type of command.
    ///   - process: The process whose events are emitted.
    ///   - handle: Does what the command asks and emits what happened; the rules are those of
    ///     ``WorkflowCommandHandler/handle(_:in:)``.
    public mutating func on<C: Command, Process: Workflow>(
        _ command: C.Type,
        in process: Process.Type,
        _ handle: @escaping @Sendable (C, inout WorkflowContext<Process>) async throws -> C.Response
    ) {
        registrations.append { bus, runner in
            bus.on(C.self) { command in try await runner.run(command, in: Process.self, handle) }
        }
    }

    /// Registers a handler of the older style, which returns its events.
    @available(
        *, deprecated, message: "Implement WorkflowCommandHandler, which emits events as it goes, and use add(_:)."
    )
    public mutating func addCommandWithEvents<Handler: EventsCommandHandler>(_ handler: Handler) {
        on(Handler.Handled.self, in: Handler.Emitted.Process.self) { command, workflow in
            let (response, events) = try await handler.handle(command)
            workflow.emit(contentsOf: events)
            return response
        }
    }

    // MARK: Without a workflow

    /// Registers a handler that emits nothing.
    public mutating func add<Handler: CommandHandler>(_ handler: Handler) {
        on(Handler.Handled.self) { command in try await handler.handle(command) }
    }

    /// Registers a small handler that emits nothing.
    public mutating func on<C: Command>(
        _ command: C.Type,
        _ handle: @escaping @Sendable (C) async throws -> C.Response
    ) {
        registrations.append { bus, runner in
            let lifecycle = runner.lifecycle
            bus.on(C.self) { command in
                try lifecycle.admit()
                guard KeyedSending.of(C.self) == nil else {
                    throw EventStreamingError(
                        .unsupported,
                        "The handler of \(C.commandName) works in no workflow, so there is nothing to record its response "
                            + "with; send the command without an idempotency key."
                    )
                }
                return try await handle(command)
            }
        }
    }

    // MARK: For all or some commands

    /// Runs `middleware` around every handler, inside those used before.
    public mutating func use(_ middleware: some BusMiddleware) {
        registrations.append { bus, _ in bus.use(middleware) }
    }

    /// Adds rules that a command must follow before its handler runs.
    public mutating func validate<C: Command>(
        _ command: C.Type,
        _ check: @escaping @Sendable (C, inout Violations) -> Void
    ) {
        registrations.append { bus, _ in bus.validate(C.self, check) }
    }

    /// Demands that a command has a handler, so that a forgotten one is found when the service starts.
    public mutating func require<C: Command>(_ command: C.Type) {
        registrations.append { bus, _ in bus.require(C.self) }
    }
}
