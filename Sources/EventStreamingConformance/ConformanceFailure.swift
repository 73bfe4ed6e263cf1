/// A store broke its contract.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// What was expected, and what happened instead.
    public let message: String
    /// The file of the check.
    public let file: String
    /// The line of the check.
    public let line: Int

    /// The message with its place.
    public var description: String { "\(message) (\(file):\(line))" }
}
