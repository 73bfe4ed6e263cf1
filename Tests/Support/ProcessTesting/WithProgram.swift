import Foundation
import Subprocess

#if canImport(System)
import System
#else
import SystemPackage
#endif

/// Runs a program as a process of its own, for as long as `body` takes.
///
/// ```swift
/// try await withProgram(at: builtProgram("Server")) { server in
///     try await server.lines(until: "listening")
///     try server.kill()
///     #expect(try await server.outcome().signal == SIGKILL)
/// }
/// ```
///
/// Nothing outlives the call: when `body` returns, throws, or is cancelled, a program that still runs is killed and
/// reaped. A test that wants to see it end by itself awaits ``Program/outcome()``.
///
/// No thread is blocked meanwhile, and the ends of pipes reach no other process, so any number of these may run at once.
///
/// - Parameters:
///   - path: The executable; see ``builtProgram(_:)``.
///   - arguments: Its arguments, without its name.
///   - deadline: How much real time the program has. It is killed after that, and what waits for it fails with what was
///     seen so far.
///   - body: What to do with the running program.
/// - Throws: What `body` throws; an error of the system when the program cannot be started.
package func withProgram<Result>(
    at path: String,
    _ arguments: [String] = [],
    deadline: Duration = .seconds(40),
    _ body: (Program) async throws -> Result
) async throws -> Result {
    _ = brokenPipesAreErrors
    let transcript = Transcript()
    let (starts, start) = AsyncThrowingStream.makeStream(of: Program.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            do {
                let result = try await run(
                    .path(FilePath(path)),
                    arguments: Arguments(arguments),
                    input: .inputWriter,
                    output: .sequence,
                    error: .sequence
                ) { execution in
                    start.yield(Program(execution, name: path, deadline: deadline, transcript: transcript))
                    defer { transcript.update { $0.isSilent = true } }
                    async let errors: Void = transcript.read(execution.standardError, to: \.errors)
                    try await transcript.read(execution.standardOutput, to: \.lines)
                    try await errors
                }
                transcript.update { $0.ending = .success(result.terminationStatus) }
            } catch {
                start.finish(throwing: error)
                transcript.update { $0.ending = .failure(error) }
            }
        }
        var iterator = starts.makeAsyncIterator()
        guard let program = try await iterator.next() else { throw CancellationError() }
        group.addTask {
            guard case .some = try? await Task.sleep(for: deadline, clock: .continuous) else { return }
            transcript.update { $0.isOverdue = $0.ending == nil }
            try? program.kill()
        }
        // The group waits for its tasks; cancelled, the one that runs the program kills and reaps it.
        defer { group.cancelAll() }
        return try await body(program)
    }
}

/// Runs a program to its end, with nothing on standard input.
package func runProgram(
    at path: String,
    _ arguments: [String] = [],
    deadline: Duration = .seconds(40)
) async throws -> ProgramOutcome {
    try await withProgram(at: path, arguments, deadline: deadline) { program in
        try await program.closeInput()
        return try await program.outcome()
    }
}

/// Writing to a program that has ended would end the tests, by SIGPIPE. Ignored, it is an error of the write. Programs
/// start with the signals as the system made them, so they do not notice.
private let brokenPipesAreErrors: Void = {
    _ = signal(SIGPIPE, SIG_IGN)
}()
