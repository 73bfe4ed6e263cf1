#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Testing

@Suite("What can be wrong with a database", .serialized, .timeLimit(.minutes(2)))
struct BadInputTests {
    private static let secret = "s3cret-Passw0rd"

    private func firstCall(_ url: String, change: (inout PostgreSQLOptions) -> Void = { _ in }) async throws {
        var options = try PostgreSQLServer.freshOptions()
        options.connectionPatience = .milliseconds(300)
        change(&options)
        let store = try PostgreSQLEventStreamStore(url: url, options: options)
        _ = try await store.metadata(of: StreamName("orders"))
    }

    @Test("A server that is not there")
    func unreachable() async throws {
        let url = "postgresql://postgres:\(Self.secret)@127.0.0.1:1/postgres"
        let error = try await expectError(.storeUnavailable) { try await firstCall(url) }
        #expect(error.isRetriable)
        #expect(error.message.contains("host and port"))
        #expect(!error.description.contains(Self.secret))
    }

    @Test("A wrong password, and none")
    func password() async throws {
        let server = try PostgreSQLServer.shared.get()
        try await administer("CREATE ROLE secured LOGIN PASSWORD '\(Self.secret)'")
        for password in ["wrong-\(Self.secret)", nil] {
            let url = server.loopbackURL(user: "secured", password: password)
            if password == nil {
                // No answer of the server: the library has nothing to answer its question with.
                let error = try await expectError(.storeUnavailable) { try await firstCall(url) }
                #expect(error.message.contains("password"))
                continue
            }
            let error = try await expectError(.invalidConfiguration) { try await firstCall(url) }
            #expect(error.message.contains("password"))
            #expect(!error.description.contains(Self.secret))
        }
    }

    @Test("A database that is not there")
    func database() async throws {
        let url = try PostgreSQLServer.shared.get().url(database: "nowhere")
        let error = try await expectError(.invalidConfiguration) { try await firstCall(url) }
        #expect(error.message.contains("does not exist"))
    }

    @Test("No connection left")
    func connections() async throws {
        try await administer("CREATE ROLE crowded LOGIN SUPERUSER CONNECTION LIMIT 0", "ALTER ROLE crowded NOSUPERUSER")
        let url = try PostgreSQLServer.shared.get().url(user: "crowded")
        let error = try await expectError(.storeUnavailable) { try await firstCall(url) }
        #expect(error.message.contains("max_connections"))
    }

    @Test("A database that is read-only")
    func readOnly() async throws {
        try await administer(
            "CREATE ROLE reader LOGIN SUPERUSER",
            "ALTER ROLE reader SET default_transaction_read_only = on"
        )
        let url = try PostgreSQLServer.shared.get().url(user: "reader")
        let error = try await expectError(.storeUnavailable) { try await firstCall(url) }
        #expect(error.message.contains("read-only"))
    }

    @Test("A user who may not make tables")
    func privilege() async throws {
        try await administer("CREATE ROLE guest LOGIN")
        let url = try PostgreSQLServer.shared.get().url(user: "guest")
        let error = try await expectError(.invalidConfiguration) { try await firstCall(url) }
        #expect(error.message.contains("privilege"))
    }

    @Test(
        "A URL that cannot be read",
        arguments: [
            "", "not a url \(secret)", "postgresql://u:\(secret)@h:port/d", "postgresql://u:a@b@\(secret)/d",
            "postgresql://u:%zz@h/d", "mysql://u:\(secret)@h/d", "host=h frobnicate=\(secret)", "postgresql://h/\0",
        ]
    )
    func url(_ url: String) throws {
        do throws(EventStreamingError) {
            _ = try PostgreSQLEventStreamStore(url: url)
            // Empty means what the environment says, as everywhere with PostgreSQL.
            #expect(url.isEmpty)
        } catch {
            #expect(error.code == .invalidConfiguration)
            #expect(!error.description.contains(Self.secret))
        }
    }

    @Test(
        "Names of schemas",
        arguments: ["", "A", "1a", "a b", "pg_x", "a\"; drop", "ä", String(repeating: "a", count: 41)])
    func schemaNames(_ name: String) {
        #expect(throws: EventStreamingError.self) { try SchemaName(name) }
    }

    @Test("Values that were not encoded, and names with a NUL, are refused")
    func values() async throws {
        struct OrderWorkflow: Workflow {}
        struct Placed: Event { typealias Process = OrderWorkflow }
        let store = try administrator()
        let stream = try StreamName("orders")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        let id = MessageID(high: 1, low: 1)
        let value = NewEvent(id: id, type: EventType(name: "Placed"), payload: .value(Placed()), size: 2)
        let named = NewEvent(id: id, type: EventType(name: "Pl\0aced"), payload: .encoded([]), size: 0)
        for event in [value, named] {
            try await expectError(.invalidArgument) { _ = try await store.enqueue([event], to: stream) }
        }
    }
}
#endif
