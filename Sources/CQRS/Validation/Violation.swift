/// One rule that a message violates.
public struct Violation: Sendable, Hashable {
    /// The field at fault, as the sender knows it, such as `email` or `address.street`.
    public var field: String

    /// The rule, as a stable identifier that programs may compare, such as `notEmpty`.
    public var rule: String

    /// What is wrong, for people to read after the name of the field, such as `must not be empty`.
    public var message: String

    /// Creates a violation.
    ///
    /// - Parameters:
    ///   - field: The field at fault, as the sender knows it.
    ///   - rule: The rule, as a stable identifier.
    ///   - message: What is wrong, for people. Leave the offending value out: messages end up in logs and responses.
    public init(field: String, rule: String, message: String) {
        self.field = field
        self.rule = rule
        self.message = message
    }
}

extension Violation: CustomStringConvertible {
    /// Field, message and rule, such as `email must not be empty (notEmpty)`.
    public var description: String { "\(field) \(message) (\(rule))" }
}
