import CrashTesting
import Foundation
import ProcessTesting
import Testing

/// Kills real processes that append to a file and consume from it.
@Suite("Crashes", .serialized, .timeLimit(.minutes(10)))
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

    @Test("Exactly once, every event has one effect, whenever the process is killed, whatever fails and is redriven")
    func exactlyOnce() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/events.sqlite"
            var run = ExactlyOnceRun(sqlite: path, folder: folder)
            let result = try await run.run(
                groups: 22,
                rounds: 5,
                services: 1,
                fates: Array(repeating: .kill, count: 10) + [.leave]
            )
            #expect(result.kills == 100)
            #expect(result.events > 200)
        }
    }

    @Test("A handler that ends the process is given up on, and its neighbours are handled")
    func trap() async throws {
        try await withTemporaryFolder { folder in
            let result = try await TrapRun.run(storageArgument: "sqlite:\(folder)/events.sqlite", folder: folder)
            #expect(result.crashes == TrapService.attempts)
            #expect(result.begun[TrapService.trap] == TrapService.attempts)
            #expect(result.ended == Set(0..<Int64(TrapService.count)).subtracting([TrapService.trap]))
        }
    }
}
