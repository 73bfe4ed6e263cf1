import Subprocess

/// A program that runs, as a process of its own; see ``withProgram(at:_:deadline:_:)``.
package final class Program: Sendable {
    private let execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>
    private let name: String
    private let deadline: Duration
    private let transcript: Transcript

    init(
        _ execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>,
        name: String,
        deadline: Duration,
        transcript: Transcript
    ) {
        self.execution = execution
        self.name = String(name.split(separator: "/").last ?? "")
        self.deadline = deadline
        self.transcript = transcript
    }

    /// The number the system knows it by.
    package var processID: Int32 { execution.processIdentifier.value }

    // MARK: - Standard input

    /// Writes to standard input; suspends while the program does not read. For one task at a time.
    ///
    /// - Throws: ``ProgramError`` when the program does not take all of it; `CancellationError`.
    package func write(_ text: String) async throws {
        let bytes = Array(text.utf8)
        // The count falls short, without an error, when the program ends or the task is cancelled.
        let count = (try? await execution.standardInputWriter.write(bytes)) ?? 0
        try Task.checkCancellation()
        guard count == bytes.count else { throw error("to read \(bytes.count) bytes of input") }
    }

    /// Ends standard input.
    package func closeInput() async throws {
        try await execution.standardInputWriter.finish()
    }

    // MARK: - Signals

    /// Sends a signal, such as `SIGTERM`.
    ///
    /// - Throws: ``ProgramError`` when the program has ended.
    package func send(_ signal: Int32) throws {
        let isSent = try transcript.unlessSilent { try execution.send(signal: Signal(rawValue: signal)) }
        guard isSent else { throw error("to be there for signal \(signal)") }
    }

    /// Ends the program as a crash would: it cannot do a thing about it.
    ///
    /// - Throws: ``ProgramError`` when the program has ended.
    package func kill() throws {
        try send(Signal.kill.rawValue)
    }

    // MARK: - Waiting

    /// Waits until the program has written `count` lines that contain `text`, and returns all lines written so far, the
    /// last of those included.
    ///
    /// Counts from the first line of all, so it does not matter whether the line came before the call.
    ///
    /// - Throws: ``ProgramError`` when the program ends before, or its deadline passes; `CancellationError`.
    @discardableResult
    package func lines(until text: String, count: Int = 1) async throws -> [String] {
        var seen = 0
        var missing = count
        let found = try await transcript.first { content in
            while missing > 0, seen < content.lines.count {
                if content.lines[seen].contains(text) {
                    missing -= 1
                }
                seen += 1
            }
            return missing > 0 ? nil : Array(content.lines.prefix(seen))
        }
        guard let found else { throw error("to write '\(text)', \(count) times") }
        return found
    }

    /// Waits until the program has ended.
    ///
    /// - Throws: ``ProgramError`` when its deadline passed; `CancellationError`.
    package func outcome() async throws -> ProgramOutcome {
        // Once it is overdue it is killed, which tells nothing about it.
        let outcome = try await transcript.first { content in
            content.isOverdue ? nil : content.ending?.map { ProgramOutcome($0, content) }
        }
        guard let outcome else { throw error("to end") }
        return try outcome.get()
    }

    private func error(_ expectation: String) -> ProgramError {
        ProgramError(program: name, expectation: expectation, deadline: deadline, content: transcript.content)
    }
}
