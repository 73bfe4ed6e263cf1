/// Checks messages of one type.
struct ValidationRule<Message: BusMessage>: Sendable {
    let check: @Sendable (_ message: Message, _ violations: inout Violations) -> Void

    init(_ check: @escaping @Sendable (_ message: Message, _ violations: inout Violations) -> Void) {
        self.check = check
    }
}

extension ValidationRule {
    /// The rules that messages of this type bring along, if they are ``Validatable``.
    ///
    /// Finding out costs a dynamic cast, so it is done once, when the bus is built; the rule it finds is statically typed.
    static var own: Self? {
        guard let type = Message.self as? any (BusMessage & Validatable).Type else { return nil }
        return ownRule(of: type) as? Self
    }

    /// Returns `any Sendable` because only the caller knows that `Validated` is `Message`.
    private static func ownRule<Validated: BusMessage & Validatable>(of type: Validated.Type) -> any Sendable {
        ValidationRule<Validated> { message, violations in message.validate(&violations) }
    }
}
