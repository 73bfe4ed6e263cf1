/// A request to change state.
///
/// A command is a value that names what it answers with; a command that answers with nothing says nothing:
///
/// ```swift
/// struct InviteUser: Command {
///     typealias Response = InvitationID
///     var email: String
/// }
///
/// struct Ping: Command {}
/// ```
///
/// Every type of command has exactly one handler, registered with ``CommandBusBuilder``. Conform to ``Validatable`` as
/// well to have commands checked before they are handled.
public protocol Command: BusMessage {
    /// What the handler returns for this command. Defaults to `Void`.
    associatedtype Response = Void

    /// The name of this type of command outside the process: on the wire, in logs and in metrics.
    ///
    /// It defaults to the unqualified name of the type. Renaming the type then renames the command for everybody who
    /// sends it from elsewhere, so state the name in commands that leave the process. Two types with one name are an
    /// error when the bus is built.
    ///
    /// The bus reads the name when it is built, never while it dispatches.
    static var commandName: String { get }
}

extension Command {
    /// The unqualified name of the type, such as `InviteUser`.
    public static var commandName: String { "\(Self.self)" }
}
