#if PostgreSQL
import CrashTesting
import EventStreaming
import EventStreamingPostgreSQL
import Foundation
import PostgreSQLTesting
import ProcessTesting
import Testing

/// Services that share the work and handle it exactly once; they are killed, stopped and told to leave, and the server
/// crashes.
@Suite("Exactly once in PostgreSQL, whatever crashes", .serialized, .timeLimit(.minutes(10)))
struct ExactlyOnceCrashTests {
    private func withRun(
        _ body: (PostgreSQLServer, inout ExactlyOnceRun, @escaping @Sendable () async throws -> [ProbeRow]) async throws
            -> Void
    ) async throws {
        let server = try PostgreSQLServer(.durable)
        defer { server.stop() }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let rows: @Sendable () async throws -> [ProbeRow] = {
            let store = try PostgreSQLEventStreamStore(url: server.url())
            return try await store.withPostgreSQLTransaction { transaction in
                let rows = try transaction.execute(
                    "SELECT number, subscription, event_id, place FROM public.exact_effects")
                return rows.compactMap { row in
                    guard row.count == 4, let number = row[0].flatMap({ Int64($0) }),
                        let place = row[3].flatMap({ Int64($0) })
                    else { return nil }
                    return ProbeRow(number: number, subscription: row[1] ?? "", eventID: row[2] ?? "", place: place)
                }
            }
        }
        var run = ExactlyOnceRun(
            storageArgument: "postgresql:\(server.url())",
            storage: .postgreSQL(url: server.url()),
            folder: folder.path,
            seed: UInt64.random(in: 1 ... .max),
            rows: rows
        )
        try await body(server, &run, rows)
    }

    @Test("Every event has one effect, whichever services are killed or leave, whatever fails and is redriven")
    func kills() async throws {
        try await withRun { _, run, _ in
            let result = try await run.run(
                groups: 4,
                rounds: 10,
                services: 3,
                fates: Array(repeating: .kill, count: 10) + [.leave, .leave]
            )
            #expect(result.kills == 100)
            #expect(result.events > 200)
        }
    }

    @Test("A member that was stopped for longer than its lease is refused, and what it holds has one effect")
    func stopped() async throws {
        try await withRun { _, run, _ in
            let result = try await run.run(groups: 2, rounds: 3, services: 2, fates: [.stop, .stop, .kill])
            #expect(result.kills == 12)
            #expect(result.refusals > 0)
        }
    }

    @Test("Every event has one effect when the server crashes, and all subscriptions go on")
    func serverCrashes() async throws {
        try await withRun { server, run, rows in
            let result = try await run.run(groups: 2, rounds: 3, services: 2, fates: [.kill, .leave]) {
                for _ in 0..<2 {
                    // In the middle of the work: some of it is done that was not before.
                    let before = (try? await rows().count) ?? 0
                    try await eventually("effects besides \(before)") { ((try? await rows().count) ?? 0) > before + 20 }
                    try server.crash()
                }
            }
            #expect(result.kills == 6)
        }
    }
}
#endif
