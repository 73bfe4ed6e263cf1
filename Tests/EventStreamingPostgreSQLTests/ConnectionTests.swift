#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Testing

@Suite("Connections", .timeLimit(.minutes(2)))
struct ConnectionTests {
    private let ids = MessageIDGenerator(clock: SystemClock())

    private func makeStream(_ store: PostgreSQLEventStreamStore) async throws -> StreamName {
        let stream = try StreamName("orders")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        return stream
    }

    @Test("A connection that the server ended is replaced; what was asked on it is told to be unknown or done")
    func terminated() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.maximumConnections = 1 }
        let stream = try await makeStream(store)
        let process = try await store.withPostgreSQLTransaction { try $0.execute("SELECT pg_backend_pid()") }[0][0]
        try await administer("SELECT pg_terminate_backend(\(process ?? "0"))")
        let events = makeEvents(2, ids)
        do throws(EventStreamingError) {
            _ = try await store.enqueue(events, to: stream)
        } catch {
            #expect(error.code == .storeUnavailable, "\(error)")
        }
        let again = try await store.enqueue(events, to: stream)
        #expect(again.offsets == StreamOffset(0)..<StreamOffset(2))
    }

    @Test("A connection that ended while it was idle for long is replaced before anybody notices")
    func terminatedWhileIdle() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.maximumConnections = 1 }
        let stream = try await makeStream(store)
        let process = try await store.withPostgreSQLTransaction { try $0.execute("SELECT pg_backend_pid()") }[0][0]
        try await administer("SELECT pg_terminate_backend(\(process ?? "0"))")
        // Longer than a connection is trusted without a look at it.
        try await Task.sleep(for: .milliseconds(1200))
        #expect(try await store.enqueue(makeEvents(2, ids), to: stream).offsets == StreamOffset(0)..<StreamOffset(2))
    }

    @Test("Cancelling a task ends its statement at the server")
    func cancellation() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.maximumConnections = 1 }
        let stream = try await makeStream(store)
        let mark = "\(UInt64.random(in: 0 ... .max))"
        let task = Task {
            _ = try await store.withPostgreSQLTransaction { try $0.execute("SELECT pg_sleep(60), \(mark)") }
        }
        let observer = try administrator()
        let count: @Sendable () async throws -> String? = {
            try await observer.withPostgreSQLTransaction {
                try $0.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%' || $1",
                    [mark]
                )
            }[0][0]
        }
        try await eventually("the statement runs") { try await count() == "1" }
        task.cancel()
        try await expectError(.cancelled) { try await task.value }
        try await eventually("the statement has ended") { try await count() == "0" }
        // The same connection, as there is only one.
        #expect(try await store.enqueue(makeEvents(1, ids), to: stream).offsets.lowerBound == .zero)
    }

    @Test("Who waits for a connection for too long is told")
    func exhausted() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) {
            $0.maximumConnections = 1
            $0.connectionPatience = .milliseconds(100)
        }
        let stream = try await makeStream(store)
        let task = Task {
            _ = try await store.withPostgreSQLTransaction { try $0.execute("SELECT pg_sleep(60)") }
        }
        try await eventually("the connection is taken") {
            do throws(EventStreamingError) {
                _ = try await store.metadata(of: stream)
                return false
            } catch {
                #expect(error.code == .timedOut)
                return true
            }
        }
        task.cancel()
        _ = try? await task.value
        #expect(try await store.metadata(of: stream).head == .zero)
    }

    @Test("A statement that runs too long is ended")
    func timeout() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.statementTimeout = .milliseconds(50) }
        try await expectError(.timedOut) {
            _ = try await store.withPostgreSQLTransaction { try $0.execute("SELECT pg_sleep(60)") }
        }
    }

    @Test("A server that does not answer is given up")
    func silent() async throws {
        // Long enough for the tables to be made in, however busy the machine is.
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.answerTimeout = .seconds(10) }
        _ = try await makeStream(store)
        let error = try await expectError(.timedOut) {
            _ = try await store.withPostgreSQLTransaction { try $0.execute("SELECT pg_sleep(60)") }
        }
        #expect(error.message.contains("answer"))
    }

    @Test("The connections of a store are closed with it, the one for hints, too")
    func closed() async throws {
        let name = "closed-\(UInt64.random(in: 0 ... .max))"
        let count: @Sendable () async throws -> String? = {
            try await administrator().withPostgreSQLTransaction {
                try $0.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", [name])
            }[0][0]
        }
        do {
            let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { options in
                options.applicationName = name
                options.sendsHints = true
            }
            let stream = try await makeStream(store)
            _ = try await store.enqueue(makeEvents(1, ids), to: stream)
            try await eventually("two connections") { try await count() == "2" }
        }
        // The server notices a moment later.
        try await eventually("no connection") { try await count() == "0" }
    }
}
#endif
