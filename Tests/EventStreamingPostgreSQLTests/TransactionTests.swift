#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Testing

@Suite("Transactions with tables of the service", .timeLimit(.minutes(2)))
struct TransactionTests {
    private struct Refusal: Error {}

    private let ids = MessageIDGenerator(clock: SystemClock())

    @Test("Rows and events are committed together, or not at all")
    func together() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock())
        let stream = try StreamName("users")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        _ = try await store.withPostgreSQLTransaction { try $0.execute("CREATE TABLE users (email text, age int)") }
        for isRefused in [true, false] {
            let events = makeEvents(1, ids)
            do {
                try await store.withPostgreSQLTransaction { transaction in
                    try transaction.execute("INSERT INTO users VALUES ($1, $2)", ["ada@example.org", nil])
                    _ = try transaction.append(StreamAppend(stream: stream, events: events))
                    if isRefused { throw Refusal() }
                }
            } catch is Refusal {}
            let rows = try await store.withPostgreSQLTransaction { try $0.execute("SELECT * FROM users") }
            #expect(rows == (isRefused ? [] : [["ada@example.org", nil]]))
            #expect(try await store.metadata(of: stream).count == (isRefused ? 0 : 1))
        }
    }

    @Test("A statement that failed cannot be kept secret")
    func hiddenFailure() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock())
        let stream = try StreamName("users")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        let events = makeEvents(1, ids)
        for statement in ["SELECT 1 / 0", "COMMIT", "ROLLBACK"] {
            try await expectError(.invalidArgument) {
                try await store.withPostgreSQLTransaction { transaction in
                    _ = try? transaction.execute(statement)
                    if statement == "SELECT 1 / 0" {
                        _ = try? transaction.append(StreamAppend(stream: stream, events: events))
                    }
                }
            }
        }
        #expect(try await store.metadata(of: stream).count == 0)
    }

    @Test("Nobody is told that nothing was changed when the transaction was committed inside")
    func committedInside() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock())
        let stream = try StreamName("orders")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        let events = makeEvents(1, MessageIDGenerator(clock: SystemClock()))
        let error = try await expectError(.invalidArgument) {
            try await store.withPostgreSQLTransaction { transaction in
                _ = try transaction.append(StreamAppend(stream: stream, events: events))
                try transaction.execute("COMMIT")
            }
        }
        #expect(try await store.metadata(of: stream).count == 1)
        #expect(!error.message.contains("nothing was changed"))
        #expect(error.message.contains("unknown"))
    }

    @Test("Transactions in each other's way are begun again")
    func deadlock() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock())
        let streams = [try StreamName("a"), try StreamName("b")]
        for stream in streams {
            try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        }
        let rounds = 10
        try await withThrowingTaskGroup(of: Void.self) { group in
            for order in [streams, streams.reversed()] {
                group.addTask {
                    for _ in 0..<rounds {
                        let events = makeEvents(1, ids)
                        try await store.withPostgreSQLTransaction { transaction in
                            for stream in order {
                                _ = try transaction.append(StreamAppend(stream: stream, events: events))
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        for stream in streams {
            #expect(try await store.metadata(of: stream).count == 2 * rounds)
        }
    }

    @Test("A statement that comes again and again does what it says, also when its table changes or refuses something")
    func repeatedStatements() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.maximumConnections = 1 }
        let insert = "INSERT INTO accounts VALUES ($1, $2)"
        @Sendable func add(_ name: String, _ amount: String) async throws {
            try await store.withPostgreSQLTransaction { transaction in
                for number in 0..<3 {
                    try transaction.execute(insert, ["\(name)-\(number)", amount])
                }
            }
        }
        let change: @Sendable (String) async throws -> Void = { statement in
            _ = try await store.withPostgreSQLTransaction { try $0.execute(statement) }
        }
        try await change("CREATE TABLE accounts (name text PRIMARY KEY, amount int)")
        try await add("a", "1")
        // Refused by the table, and then not.
        await #expect(throws: EventStreamingError.self) { try await add("a", "1") }
        try await add("b", "2")
        try await change("ALTER TABLE accounts ALTER COLUMN amount TYPE text")
        // At most once it is refused because it was prepared for the other type.
        do { try await add("c", "three") } catch { try await add("c", "three") }
        try await change("DROP TABLE accounts")
        await #expect(throws: EventStreamingError.self) { try await add("d", "4") }
        try await change("CREATE TABLE accounts (name text, amount text)")
        try await add("e", "five")
        let rows = try await store.withPostgreSQLTransaction {
            try $0.execute("SELECT count(*), min(amount) FROM accounts")
        }
        #expect(rows == [["3", "five"]])
    }
}
#endif
