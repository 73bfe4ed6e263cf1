/// Collects everything that is wrong with a message.
///
/// Rules that hold record nothing and allocate nothing.
public struct Violations: Sendable, Hashable {
    /// What has been recorded so far, in that order.
    public private(set) var all: [Violation] = []

    /// Whether nothing has been recorded.
    public var isEmpty: Bool { all.isEmpty }

    /// Creates an empty collection.
    public init() {}

    /// Records `violation`.
    ///
    /// - Parameter violation: What is wrong.
    public mutating func add(_ violation: Violation) {
        all.append(violation)
    }

    /// Records a violation unless `condition` holds.
    ///
    /// - Parameters:
    ///   - condition: Whether the rule is kept.
    ///   - field: The field at fault, as the sender knows it.
    ///   - rule: The rule, as a stable identifier.
    ///   - message: What is wrong, for people. Evaluated only if the rule is violated.
    public mutating func check(
        _ condition: Bool,
        field: @autoclosure () -> String,
        rule: @autoclosure () -> String,
        message: @autoclosure () -> String
    ) {
        guard !condition else { return }
        add(Violation(field: field(), rule: rule(), message: message()))
    }
}
