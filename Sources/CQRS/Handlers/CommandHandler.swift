/// Carries out one type of command.
///
/// A handler is a value built once, with its dependencies passed to its initialiser, and registered by value;
/// the command and its response are inferred from `handle`:
///
/// ```swift
/// struct InviteUserHandler: CommandHandler {
///     let invitations: any InvitationStore
///
///     func handle(_ command: InviteUser) async throws -> InvitationID {
///         try await invitations.create(for: command.email)
///     }
/// }
///
/// let bus = try CommandBus { commands in
///     commands.add(InviteUserHandler(invitations: store))
/// }
/// ```
public protocol CommandHandler<Handled>: Sendable {
    /// The type of command this handler carries out.
    associatedtype Handled: Command

    /// Carries out `command`.
    ///
    /// The bus calls this concurrently, once for each command sent, in the isolation of the sender, unless the method is
    /// `@concurrent`, as it is by default in modules without the feature `NonisolatedNonsendingByDefault`. Mark it so if
    /// it computes for long and may be called from a global actor.
    ///
    /// It runs only for commands that passed validation. Whatever it throws reaches the sender unchanged.
    ///
    /// Cancellation is the handler's to observe: the bus neither checks for it nor shields from it.
    ///
    /// - Parameter command: The command, already validated.
    /// - Returns: The response for the sender.
    /// - Throws: Whatever the sender should see.
    func handle(_ command: Handled) async throws -> Handled.Response
}
