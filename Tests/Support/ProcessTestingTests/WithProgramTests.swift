import Foundation
import Testing

@testable import ProcessTesting

@Suite("Programs in tests", .timeLimit(.minutes(5)))
struct WithProgramTests {
    private struct Stop: Error {}

    /// Repeats what it reads, until that ends.
    private let echo = "/bin/cat"

    @Test("The outcome has the exit code and all that was written")
    func outcome() async throws {
        let outcome = try await runProgram(at: "/bin/sh", ["-c", "cat; printf 'a\\n\\nb'; echo c >&2; exit 3"])
        #expect(outcome.exitCode == 3)
        #expect(outcome.signal == nil)
        #expect(outcome.lines == ["a", "", "b"])
        #expect(outcome.errors == ["c"])
    }

    @Test("Lines are waited for, whenever they came")
    func lines() async throws {
        try await withProgram(at: echo) { program in
            try await program.write("one\ntwo\n")
            #expect(try await program.lines(until: "two") == ["one", "two"])
            #expect(try await program.lines(until: "one") == ["one"])
            async let later = program.lines(until: "o", count: 3)
            try await program.write("three\nfour\n")
            #expect(try await later == ["one", "two", "three", "four"])
        }
    }

    @Test("Many at once: each sees the end of its own input")
    func many() async throws {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await withProgram(at: echo) { program in
                        try await program.write("\(number)\n")
                        try await program.lines(until: "\(number)")
                        try await program.closeInput()
                        return try await program.outcome().lines
                    }
                }
            }
            let lines = try await group.reduce(into: Set<[String]>()) { $0.insert($1) }
            #expect(lines == Set((0..<20).map { ["\($0)"] }))
        }
    }

    @Test("A killed program can be told from one that ended, and takes nothing more")
    func killed() async throws {
        try await withProgram(at: echo) { program in
            try program.kill()
            let outcome = try await program.outcome()
            #expect(outcome.exitCode == nil)
            #expect(outcome.signal == SIGKILL)
            await #expect(throws: ProgramError.self) { try await program.write("x") }
            #expect(throws: ProgramError.self) { try program.kill() }
        }
    }

    @Test("A line that does not come fails with what was seen")
    func noLine() async throws {
        let error = await #expect(throws: ProgramError.self) {
            try await withProgram(at: "/bin/sh", ["-c", "echo seen; echo wrong >&2"]) { program in
                try await program.lines(until: "missing")
            }
        }
        let description = try #require(error?.description)
        for part in ["sh was expected to write 'missing'", "has ended", "\n  seen", "\n  wrong"] {
            #expect(description.contains(part), "\(description)")
        }
    }

    @Test("A deadline ends every wait")
    func deadline() async throws {
        let error = await #expect(throws: ProgramError.self) {
            try await withProgram(at: echo, deadline: .milliseconds(50)) { try await $0.lines(until: "missing") }
        }
        #expect(error?.description.contains("it had 0.05 seconds") == true)
        await #expect(throws: ProgramError.self) {
            try await withProgram(at: echo, deadline: .milliseconds(50)) { try await $0.outcome() }
        }
        await #expect(throws: ProgramError.self) {
            // Reads nothing, so the pipe is full in the end.
            try await withProgram(at: "/bin/sleep", ["60"], deadline: .milliseconds(50)) { program in
                try await program.write(String(repeating: "x", count: 10_000_000))
            }
        }
    }

    @Test("Nothing is left behind when the body returns")
    func returned() async throws {
        let processID = try await withProgram(at: echo) { $0.processID }
        #expect(isGone(processID))
    }

    @Test("Nothing is left behind when the body throws")
    func thrown() async throws {
        var processID: Int32?
        await #expect(throws: Stop.self) {
            try await withProgram(at: echo) { program in
                processID = program.processID
                throw Stop()
            }
        }
        #expect(isGone(try #require(processID)))
    }

    @Test("Nothing is left behind when the task is cancelled")
    func cancelled() async throws {
        let (starts, start) = AsyncStream.makeStream(of: Int32.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) {
                    try await withProgram(at: echo) { program in
                        start.yield(program.processID)
                        try await program.lines(until: "missing")
                    }
                }
            }
            let processID = try #require(await starts.first { _ in true })
            group.cancelAll()
            try await group.waitForAll()
            #expect(isGone(processID))
        }
    }

    @Test("A program that is not there cannot be run")
    func missing() async {
        await #expect(throws: (any Error).self) { try await runProgram(at: "/nowhere/program") }
        #expect(throws: (any Error).self) { try builtProgram("NoSuchProgram") }
    }

    /// Whether a process has ended and was waited for.
    private func isGone(_ processID: Int32) -> Bool {
        kill(processID, 0) == -1 && errno == ESRCH
    }
}
