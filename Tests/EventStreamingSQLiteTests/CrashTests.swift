import CrashTesting
import Foundation
import ProcessTesting
import Testing

/// Kills real processes that append to a file and consume from it.
@Suite("Crashes", .timeLimit(.minutes(5)))
struct CrashTests {
    @Test("Nothing that was acknowledged is lost, and nothing is passed over, whenever the process is killed")
    func kills() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/events.sqlite"
            var run = CrashRun(sqlite: path, folder: folder)
            let result = try await run.run(rounds: 50)
            #expect(result.acknowledged > 50)
            #expect(result.stored >= result.acknowledged)
        }
    }

    @Test("A service that was stopped for longer than its leases last finds out, and goes on")
    func stopped() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/events.sqlite"
            var run = CrashRun(sqlite: path, folder: folder)
            let result = try await run.run(rounds: 2) { service in
                try service.send(SIGSTOP)
                try await Task.sleep(for: .seconds(3))
                try service.send(SIGCONT)
            }
            #expect(result.stored >= result.acknowledged)
        }
    }
}
