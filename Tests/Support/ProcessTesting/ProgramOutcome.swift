import Subprocess

/// How a program ended, and all it had to say.
package struct ProgramOutcome: Sendable {
    /// What the program ended with; `nil` when a signal ended it.
    package let exitCode: Int32?
    /// The signal that ended the program; `nil` when it ended by itself.
    package let signal: Int32?
    /// The lines of standard output, without their ends.
    package let lines: [String]
    /// The lines of standard error, without their ends.
    package let errors: [String]

    init(_ status: TerminationStatus, _ content: Transcript.Content) {
        switch status {
        case .exited(let code): (exitCode, signal) = (code, nil)
        case .signaled(let number): (exitCode, signal) = (nil, number)
        }
        lines = content.lines
        errors = content.errors
    }
}
