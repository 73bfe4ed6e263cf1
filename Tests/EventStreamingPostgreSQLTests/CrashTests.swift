#if PostgreSQL
import CrashTesting
import EventStreaming
import EventStreamingPostgreSQL
import Foundation
import PostgreSQLTesting
import ProcessTesting
import Testing

/// Kills real processes: services that append and consume, and the server itself.
@Suite("Crashes around PostgreSQL", .serialized, .timeLimit(.minutes(10)))
struct CrashTests {
    private func withServer(_ body: (PostgreSQLServer, inout CrashRun) async throws -> Void) async throws {
        let server = try PostgreSQLServer(.durable)
        defer { server.stop() }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var run = CrashRun(
            storageArgument: "postgresql:\(server.url())",
            storage: .postgreSQL(url: server.url()),
            folder: folder.path,
            seed: UInt64.random(in: 1 ... .max)
        ) {
            let store = try PostgreSQLEventStreamStore(url: server.url())
            return try await store.withPostgreSQLTransaction { transaction in
                try transaction.execute("SELECT place FROM public.probe_effects").compactMap { row in
                    row.first.flatMap { $0 }.flatMap { Int64($0) }
                }
            }
        }
        try await body(server, &run)
    }

    @Test("Nothing that was acknowledged is lost, and nothing is passed over, whenever a service is killed")
    func kills() async throws {
        try await withServer { _, run in
            let result = try await run.run(rounds: 50)
            #expect(result.acknowledged > 50)
            #expect(result.stored >= result.acknowledged)
        }
    }

    @Test("A service goes on by itself when the server has crashed")
    func serverCrashes() async throws {
        try await withServer { server, run in
            let result = try await run.run(rounds: 8) { _ in try server.crash() }
            #expect(result.stored >= result.acknowledged)
        }
    }

    @Test("A service goes on by itself when its connections are ended, the listening one included")
    func connectionsEnd() async throws {
        try await withServer { server, run in
            let result = try await run.run(rounds: 20) { _ in
                try server.runScript(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'event-streaming'"
                )
            }
            #expect(result.stored >= result.acknowledged)
        }
    }

    @Test("A service that was stopped for longer than its leases last finds out, and goes on")
    func stopped() async throws {
        try await withServer { _, run in
            let result = try await run.run(rounds: 2) { service in
                try service.send(SIGSTOP)
                try await Task.sleep(for: .seconds(3))
                try service.send(SIGCONT)
            }
            #expect(result.stored >= result.acknowledged)
        }
    }
}
#endif
