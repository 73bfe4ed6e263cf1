/// A command handler did something else than its test expects.
public struct WorkflowTestError: Error, Sendable {
    /// What was expected and what happened.
    public let message: String
    /// The file of the expectation.
    public let fileID: String
    /// The line of the expectation.
    public let line: Int

    /// Creates an error.
    public init(_ message: String, fileID: String = #fileID, line: Int = #line) {
        self.message = message
        self.fileID = fileID
        self.line = line
    }
}

extension WorkflowTestError: CustomStringConvertible {
    /// Where, what was expected, and what happened.
    public var description: String { "\(fileID):\(line): \(message)" }
}
