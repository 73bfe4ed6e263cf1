#if PostgreSQL
import Foundation
import ProcessTesting
import Testing

/// The scene of `make failover`: three processes share the work, one is killed, the others take over.
@Suite("Failover", .serialized, .timeLimit(.minutes(5)))
struct FailoverCrashTests {
    private static let script = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "dev/failover.py").path

    /// Runs the scene with a folder for whatever it has to leave somewhere, and makes sure that nothing is left there.
    private func withScene<Result>(
        of program: String,
        _ body: (Program) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let arguments = ["TMPDIR=\(folder)", "python3", Self.script, program]
            let result = try await withProgram(at: "/usr/bin/env", arguments, deadline: .seconds(240), body)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
            return result
        }
    }

    /// The process ids of the members, from the lines that tell who has which partitions.
    private func processes(in lines: [String]) -> [pid_t] {
        lines.compactMap { line in
            line.firstMatch(of: #/^  analytics-\d  process (\d+)  /#).flatMap { pid_t($0.1) }
        }
    }

    private func isGone(_ process: pid_t) -> Bool {
        kill(process, 0) == -1 && errno == ESRCH
    }

    @Test("One of three members is killed: the others take over, nothing is lost, nothing is charged twice")
    func takeOver() async throws {
        let outcome = try await withScene(of: builtProgram("UserService")) { try await $0.outcome() }
        #expect(outcome.exitCode == 0)
        #expect(outcome.errors == [])
        // 300 users come; of those that have a number divisible by 3, all but the last 20 go: 80.
        let sums = try #require(outcome.lines.last)
        #expect(
            sums.wholeMatch(
                of: #/events=380 handled=380 lost=0 handled-twice=\d+ charged=380 uncharged=0 charged-twice=0/#) != nil,
            "\(sums)"
        )
        #expect(outcome.count("In the middle of 380 commands analytics-2 is killed by SIGKILL, at work.") == 1)
        // Three before, and the two that are left after.
        #expect(outcome.count(" 11 partitions: ") == 2 && outcome.count(" 10 partitions: ") == 1)
        #expect(outcome.count(" 16 partitions: ") == 2)
        let takeOver = try #require(
            outcome.lines.firstMatch(of: #/^Take-over: ([\d.]+) s after/#).flatMap { Double($0.1) })
        // A member may be silent for 2 s; every process looks for silent ones at least every 2/3 s. Machines may be busy.
        #expect(takeOver < 10, "\(takeOver) s")
        let processes = processes(in: outcome.lines)
        #expect(Set(processes).count == 3)
        #expect(processes.allSatisfy(isGone))
    }

    @Test("A scene that is stopped in the middle leaves nothing behind", arguments: [SIGTERM, SIGINT])
    func stopped(_ signal: Int32) async throws {
        let outcome = try await withScene(of: builtProgram("UserService")) { scene in
            try await scene.lines(until: "is killed by SIGKILL")
            try scene.send(signal)
            return try await scene.outcome()
        }
        #expect(outcome.exitCode == 1)
        #expect(outcome.errors == ["failover: stopped"])
        let processes = processes(in: outcome.lines)
        #expect(processes.count == 3)
        #expect(processes.allSatisfy(isGone))
    }

    @Test("A program that fails fails the scene")
    func failing() async throws {
        let outcome = try await withScene(of: "/bin/false") { try await $0.outcome() }
        #expect(outcome.exitCode == 1)
        #expect(outcome.errors.count == 1 && outcome.errors[0].hasPrefix("failover: "), "\(outcome.errors)")
    }
}

extension [String] {
    fileprivate func firstMatch<Output>(of regex: some RegexComponent<Output>) -> Output? {
        for line in self {
            if let match = line.firstMatch(of: regex) { return match.output }
        }
        return nil
    }
}
#endif
