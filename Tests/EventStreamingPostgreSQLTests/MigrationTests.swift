#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import Foundation
import PostgreSQLTesting
import Testing

@Suite("The tables", .timeLimit(.minutes(2)))
struct MigrationTests {
    private let stream: StreamName

    init() throws {
        stream = try StreamName("orders")
    }

    private func store(_ options: PostgreSQLOptions) throws -> PostgreSQLEventStreamStore {
        try PostgreSQLEventStreamStore(url: PostgreSQLServer.shared.get().url(), options: options)
    }

    @Test("Ten instances start at once")
    func tenAtOnce() async throws {
        let options = try PostgreSQLServer.freshOptions()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    let store = try store(options)
                    try await store.createStream(StreamDefinition(name: stream, type: .persistent))
                }
            }
            try await group.waitForAll()
        }
        let versions = try await store(options).withPostgreSQLTransaction {
            try $0.execute("SELECT version FROM schema_migrations ORDER BY version")
        }
        #expect(versions == (1...PostgreSQLSchema.version).map { ["\($0)"] })
    }

    @Test("Newer tables are refused")
    func newer() async throws {
        let options = try PostgreSQLServer.freshOptions()
        let first = try store(options)
        try await first.createStream(StreamDefinition(name: stream, type: .persistent))
        _ = try await first.withPostgreSQLTransaction {
            try $0.execute("INSERT INTO schema_migrations (version) VALUES ($1)", ["\(PostgreSQLSchema.version + 1)"])
        }
        let error = try await expectError(.unsupported) {
            _ = try await store(options).metadata(of: stream)
        }
        #expect(error.message.contains("newer"))
    }

    @Test("Missing tables are not made when nobody wants it; printed SQL makes the same")
    func byHand() async throws {
        var options = try PostgreSQLServer.freshOptions()
        options.migratesSchema = false
        let error = try await expectError(.invalidConfiguration) {
            _ = try await store(options).metadata(of: stream)
        }
        #expect(error.message.contains("PostgreSQLSchema.sql"))
        try await PostgreSQLServer.shared.get().runScript(PostgreSQLSchema.sql(options: options))
        try await store(options).createStream(StreamDefinition(name: stream, type: .persistent))
        let result = try await store(options).enqueue(
            makeEvents(3, MessageIDGenerator(clock: SystemClock())), to: stream)
        #expect(result.offsets == StreamOffset(0)..<StreamOffset(3))
    }

    @Test("Older tables are not changed when nobody wants it; the SQL from their version on makes them new")
    func older() async throws {
        var options = try PostgreSQLServer.freshOptions()
        options.migratesSchema = false
        let all = PostgreSQLSchema.sql(options: options)
        let second = try #require(all.range(of: "\n-- Version 2"))
        try await PostgreSQLServer.shared.get().runScript(all[..<second.lowerBound])
        for _ in 1...2 {
            let error = try await expectError(.invalidConfiguration) {
                try await store(options).createStream(StreamDefinition(name: stream, type: .persistent))
            }
            #expect(error.message.contains("version 1"))
            #expect(error.message.contains("PostgreSQLSchema.sql(from: 1)"))
        }
        try await PostgreSQLServer.shared.get().runScript(PostgreSQLSchema.sql(from: 1, options: options))
        try await store(options).createStream(StreamDefinition(name: stream, type: .persistent))
    }

    @Test("What was interrupted goes on where it was")
    func interrupted() async throws {
        let options = try PostgreSQLServer.freshOptions()
        let all = PostgreSQLSchema.sql(options: options)
        // As if it had been killed after the first step, and in the middle of the second.
        let second = try #require(all.range(of: "\n-- Version 2"))
        try await PostgreSQLServer.shared.get().runScript(
            all[..<second.lowerBound] + "BEGIN; CREATE TABLE subscriptions (id bigint);"
        )
        try await store(options).createStream(StreamDefinition(name: stream, type: .persistent))
        let metadata = try await store(options).metadata(of: stream)
        #expect(metadata.head == .zero)
    }
}
#endif
