/// Takes every command to its handler.
///
/// ```swift
/// let bus = try CommandBus { commands in
///     commands.add(InviteUserHandler(invitations: store))
/// }
/// let id = try await bus.send(InviteUser(email: "ada@example.org"))     // typed: InvitationID
/// ```
///
/// A bus is immutable: it may be used from any number of tasks at once, and they never wait for each other.
public final class CommandBus: Sendable {
    private let table: RouteTable

    /// The names of all types of command the bus handles, sorted.
    public var commandNames: [String] { table.names }

    /// Creates a bus from what `configure` registers.
    ///
    /// - Parameter configure: Registers handlers, rules and middleware. Called once, before this returns.
    /// - Throws: What `configure` throws; otherwise a ``CQRSError`` that lists everything that is wrong with the
    ///   registrations, as ``CommandBusBuilder/build()`` does.
    public init(_ configure: (_ commands: inout CommandBusBuilder) throws -> Void) throws {
        var builder = CommandBusBuilder()
        try configure(&builder)
        table = try builder.table.build()
    }

    init(table: RouteTable) {
        self.table = table
    }

    /// Whether commands of type `type` have a handler.
    ///
    /// - Parameter type: The type of command.
    /// - Returns: `false` if ``send(_:)`` would throw ``CQRSError/Code/noHandler``.
    public func handles<C: Command>(_ type: C.Type) -> Bool {
        table.contains(type)
    }

    /// Passes `command` through middleware and validation to its handler.
    ///
    /// The handler runs in the caller's task and isolation; when this returns, it has returned. Without middleware and
    /// rules, sending costs a lookup and a call, and allocates nothing.
    ///
    /// Cancellation is the handler's to observe: a command sent from a cancelled task still reaches its handler.
    ///
    /// - Parameter command: The command.
    /// - Returns: The response of the handler.
    /// - Throws: ``CQRSError`` with code ``CQRSError/Code/noHandler`` if there is no handler; ``ValidationError`` with
    ///   every violated rule, in which case no handler has run; otherwise what the handler or a middleware throws.
    public func send<C: Command>(_ command: C) async throws -> C.Response {
        try await table.dispatch(command, name: C.commandName)
    }
}
