#if PostgreSQL
import CrashTesting
import EventStreaming
import EventStreamingCore
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

    @Test("Services that share the work lose nothing and keep a group's order, whichever of them are killed")
    func manyServices() async throws {
        try await withServer { _, run in
            let result = try await run.run(rounds: 12, services: 3)
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
                try await server.runScript(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'event-streaming'"
                )
            }
            #expect(result.stored >= result.acknowledged)
        }
    }

    @Test("What a crash of the server made it forget is not remembered by an instance either")
    func forgottenLease() async throws {
        let server = try PostgreSQLServer(.durable)
        defer { server.stop() }
        // So late that the lease, whose commit does not wait for the disk, is not there when the server crashes.
        try await server.runScript("ALTER SYSTEM SET wal_writer_delay = '10s'; SELECT pg_reload_conf();")
        let stores = try (0..<2).map { _ in
            var options = try PostgreSQLServer.freshOptions()
            options.schema = try SchemaName("forgetful")
            options.usesServerTime = true
            return try PostgreSQLEventStreamStore(url: server.url(), options: options)
        }
        let stream = try StreamName("orders")
        try await stores[0].createStream(StreamDefinition(name: stream, type: .persistent))
        let subscription = try SubscriptionDefinition(id: SubscriptionID("mailer"), stream: stream, mode: .exclusive)
        try await stores[0].createSubscription(subscription)
        let events = makeEvents(30, MessageIDGenerator(clock: SystemClock()))
        _ = try await stores[0].enqueue(events, to: stream)
        var consumers: [ConsumerRegistration] = []
        for (number, store) in stores.enumerated() {
            let id = try ConsumerID("c\(number)")
            consumers.append(
                try await store.registerConsumer(id, of: subscription.id, kind: .durable, start: nil))
        }
        guard case .lease = try await stores[0].dequeue(as: consumers[0], limit: 10) else {
            Issue.record("there were no events")
            return
        }
        try server.crash()
        // Longer than a connection is trusted: then it is replaced before anything fails that could tell of the crash.
        try await Task.sleep(for: .milliseconds(1200))
        // As many changes as were forgotten, but others.
        guard case .lease(let other) = try await retrying({ try await stores[1].dequeue(as: consumers[1], limit: 5) })
        else {
            Issue.record("there were no events")
            return
        }
        try #require(other.offsets.lowerBound == .zero, "the server had not forgotten the lease")
        guard case .lease(let lease) = try await retrying({ try await stores[0].dequeue(as: consumers[0], limit: 10) })
        else {
            Issue.record("there were no events")
            return
        }
        // Otherwise nobody would ever get those in between.
        #expect(lease.offsets.lowerBound == StreamOffset(5))
    }

    /// Tries again while connections that the crash ended are still found in the pool.
    private func retrying<Result>(_ body: () async throws -> Result) async throws -> Result {
        for _ in 1...20 {
            do {
                return try await body()
            } catch let error as EventStreamingError where error.isRetriable {
                continue
            }
        }
        return try await body()
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

    @Test("A handler that ends the process is given up on, and its neighbours are handled")
    func trap() async throws {
        try await withServer { server, run in
            let result = try await TrapRun.run(storageArgument: run.storageArgument, folder: run.folder)
            #expect(result.crashes == TrapService.attempts)
            #expect(result.begun[TrapService.trap] == TrapService.attempts)
            #expect(result.ended == Set(0..<Int64(TrapService.count)).subtracting([TrapService.trap]))
        }
    }
}
#endif
