import CrashTesting
import EventStreaming
import EventStreamingSQLite
import GRDB
import Testing

/// Kills real processes that append to a file and consume from it.
@Suite("Crashes", .timeLimit(.minutes(5)))
struct CrashTests {
    @Test("Nothing that was acknowledged is lost, and nothing is passed over, whenever the process is killed")
    func kills() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/events.sqlite"
            var run = CrashRun(
                storageArgument: "sqlite:\(path)",
                storage: .sqlite(path: path),
                folder: folder,
                seed: UInt64.random(in: 1 ... .max)
            ) {
                try await DatabaseQueue(path: path).read {
                    try Int64.fetchAll($0, sql: "SELECT place FROM probe_effects")
                }
            }
            let result = try await run.run(rounds: 50)
            #expect(result.acknowledged > 50)
            #expect(result.stored >= result.acknowledged)
        }
    }
}
