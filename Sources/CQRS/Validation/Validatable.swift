/// A command or query that knows rules of its own.
///
/// ```swift
/// extension InviteUser: Validatable {
///     func validate(_ violations: inout Violations) {
///         violations.length(email, in: 3...254, field: "email")
///         violations.check(email.contains("@"), field: "email", rule: "email", message: "must be an e-mail address")
///     }
/// }
/// ```
///
/// A bus validates such messages before it calls their handler and reports everything that is wrong with one at once, in
/// one ``ValidationError``. Rules for a type one does not own are registered with the bus instead: see
/// ``CommandBusBuilder/validate(_:_:)``. Messages without rules pay nothing.
public protocol Validatable {
    /// Records every rule that this value violates.
    ///
    /// It runs in the sender's task, once for each message that reaches it. Keep it to what the value itself can tell;
    /// what needs a look into a database belongs into the handler.
    ///
    /// - Parameter violations: Collects what is wrong. Recording nothing means the value is valid.
    func validate(_ violations: inout Violations)
}
