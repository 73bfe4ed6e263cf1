/// Gathers handlers, validation rules and middleware for a ``CommandBus``.
///
/// ```swift
/// let bus = try CommandBus { commands in
///     commands.use(LoggingMiddleware())
///     commands.add(InviteUserHandler(invitations: store))
///     commands.on(Ping.self) { _ in }
///     commands.validate(InviteUser.self) { command, violations in … }
///     commands.require(ArchiveUser.self)
/// }
/// ```
///
/// The order of calls does not matter, except that middleware runs in the order of ``use(_:)``. Nothing is checked
/// before ``build()``, which then reports everything at once; nothing can be changed after it.
public struct CommandBusBuilder: ~Copyable, Sendable {
    var table = RouteTableBuilder(kind: .command)

    /// Creates a builder that knows nothing yet.
    public init() {}

    /// Registers the handler of a type of command, both inferred from `handler`.
    ///
    /// - Parameter handler: The handler; kept, and called concurrently, for as long as the bus lives.
    // Inlinable: the closure is then compiled for the type of handler, which makes its call direct.
    @inlinable
    public mutating func add<Handler: CommandHandler>(_ handler: Handler) {
        on(Handler.Handled.self) { command in
            try await handler.handle(command)
        }
    }

    /// Registers a closure as the handler of a type of command.
    ///
    /// - Parameters:
    ///   - type: The type of command.
    ///   - handle: Carries out one command. See ``CommandHandler/handle(_:)`` for what it may rely on.
    public mutating func on<C: Command>(
        _ type: C.Type,
        _ handle: @escaping @Sendable (_ command: C) async throws -> C.Response
    ) {
        table.update(type, name: type.commandName) { draft in draft.handlers.append(BusNext(handle)) }
    }

    /// Adds rules for a type of command, on top of those it brings along as ``Validatable``.
    ///
    /// May be called more than once for a type; the rules run in that order, after those of the command itself.
    ///
    /// - Parameters:
    ///   - type: The type of command. It must have a handler, or ``build()`` throws.
    ///   - check: Records every rule that a command violates.
    public mutating func validate<C: Command>(
        _ type: C.Type,
        _ check: @escaping @Sendable (_ command: C, _ violations: inout Violations) -> Void
    ) {
        table.update(type, name: type.commandName) { draft in draft.rules.append(ValidationRule(check)) }
    }

    /// Demands that a type of command has a handler, so that a forgotten one is found when the bus is built.
    ///
    /// - Parameter type: The type of command.
    public mutating func require<C: Command>(_ type: C.Type) {
        table.update(type, name: type.commandName) { draft in draft.isRequired = true }
    }

    /// Runs `middleware` around every handler of the bus, whether registered before or after this call.
    ///
    /// - Parameter middleware: Runs further in than all middleware used before it; the first one is the outermost.
    public mutating func use(_ middleware: some BusMiddleware) {
        table.use(middleware)
    }

    /// Checks everything that was registered and makes the bus.
    ///
    /// - Returns: The bus, ready to be used from any task.
    /// - Throws: One ``CQRSError`` that lists every problem: ``CQRSError/Code/duplicateHandler`` for a type with
    ///   several handlers, ``CQRSError/Code/noHandler`` for a required or validated type without one,
    ///   ``CQRSError/Code/duplicateName`` for types with the same name, and
    ///   ``CQRSError/Code/invalidConfiguration`` if there are problems of more than one of these kinds.
    public consuming func build() throws(CQRSError) -> CommandBus {
        CommandBus(table: try table.build())
    }
}
