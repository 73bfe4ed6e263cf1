/// A program did not do what was waited for.
package struct ProgramError: Error, CustomStringConvertible {
    /// What was waited for, why it will not come, and what the program has said last.
    package let description: String

    init(program: String, expectation: String, deadline: Duration, content: Transcript.Content) {
        let reason =
            switch content.ending {
            case _ where content.isOverdue: "it had \(deadline)"
            case .success(let status): "it has ended: \(status)"
            case .failure(let error): "it was lost: \(error)"
            case nil: "it is about to end, or has closed its input"
            }
        description = """
            \(program) was expected \(expectation), but \(reason).
            Its last lines:\(Self.list(content.lines))
            Its last errors:\(Self.list(content.errors))
            """
    }

    private static func list(_ lines: [String]) -> String {
        lines.isEmpty ? " none" : lines.suffix(20).map { "\n  \($0)" }.joined()
    }
}
