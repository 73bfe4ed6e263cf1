/// A message broke rules, so it was not handled.
///
/// A bus throws it before any handler runs, with every rule that the message violates. Handlers may throw it too, for
/// rules that only they can check.
public struct ValidationError: Error, Sendable, Hashable {
    /// The name of the type of message: ``Command/commandName`` or ``Query/queryName``.
    public let messageName: String

    /// Every violated rule: first those of the message itself, then those registered with the bus, in order.
    public let violations: [Violation]

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - messageName: The name of the type of message.
    ///   - violations: Every violated rule.
    public init(messageName: String, violations: [Violation]) {
        self.messageName = messageName
        self.violations = violations
    }
}

extension ValidationError: CustomStringConvertible {
    /// The message and every violation, on one line.
    public var description: String {
        "\(messageName) is invalid: \(violations.map(\.description).joined(separator: "; "))"
    }
}
