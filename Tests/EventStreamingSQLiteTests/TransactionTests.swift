import EventStreamingCore
import EventStreamingSQLite
import GRDB
import Synchronization
import Testing

@Suite("Transactions of the SQLite store", .timeLimit(.minutes(5)))
struct TransactionTests {
    private struct Refusal: Error {}

    private final class Runs: Sendable {
        private let runs = Atomic(0)

        var count: Int { runs.load(ordering: .sequentiallyConsistent) }

        func note() { runs.add(1, ordering: .sequentiallyConsistent) }
    }

    @Test("Rows of the service, events and a checkpoint are committed together, or not at all")
    func together() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                try await store.withSQLiteTransaction { try $0.database.execute(sql: "CREATE TABLE users (name TEXT)") }
                try await fixture.append(2, to: store)
                let lease = try await fixture.lease(2, as: try await fixture.register(in: store), in: store)
                let derived = fixture.events(1)
                for fails in [true, false] {
                    do {
                        try await store.withSQLiteTransaction { transaction in
                            try transaction.database.execute(sql: "INSERT INTO users VALUES ('ada')")
                            _ = try transaction.append(StreamAppend(stream: fixture.stream, events: derived))
                            try transaction.settle(
                                Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
                            )
                            if fails { throw Refusal() }
                        }
                        #expect(!fails)
                    } catch is Refusal {}
                    let users = try await store.withSQLiteTransaction {
                        try Int.fetchOne($0.database, sql: "SELECT count(*) FROM users")
                    }
                    #expect(users == (fails ? 0 : 1))
                    #expect(try await fixture.ids(in: store).count == (fails ? 2 : 3))
                    #expect(try await fixture.position(in: store) == (fails ? 0 : 2))
                }
            }
            try await fixture.withStore { store in
                let count = try await fixture.ids(in: store).count
                #expect(count == 3)
                #expect(try await fixture.position(in: store) == 2)
            }
        }
    }

    @Test("Many at a time: each keeps all or nothing, and none disturbs the others")
    func concurrent() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await store.withSQLiteTransaction {
                    try $0.database.execute(sql: "CREATE TABLE done (number INTEGER PRIMARY KEY)")
                }
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<60 {
                        group.addTask {
                            let events = fixture.events(1)
                            switch number % 3 {
                            case 0:
                                _ = try? await store.append(StreamAppend(stream: fixture.stream, events: events))
                            default:
                                try? await store.withSQLiteTransaction { transaction in
                                    try transaction.database.execute(sql: "INSERT INTO done VALUES (\(number))")
                                    _ = try transaction.append(StreamAppend(stream: fixture.stream, events: events))
                                    if number % 3 == 1 { throw Refusal() }
                                }
                            }
                        }
                    }
                }
                #expect(try await fixture.ids(in: store).count == 40)
                let done = try await store.withSQLiteTransaction {
                    try Int.fetchAll($0.database, sql: "SELECT number FROM done ORDER BY number")
                }
                #expect(done == (0..<60).filter { $0 % 3 == 2 })
            }
        }
    }

    @Test("An error of SQLite inside is passed on as it is")
    func ownError() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                await #expect(throws: DatabaseError.self) {
                    try await store.withSQLiteTransaction { transaction in
                        _ = try transaction.append(StreamAppend(stream: fixture.stream, events: fixture.events(1)))
                        try transaction.database.execute(sql: "INSERT INTO nowhere VALUES (1)")
                    }
                }
                #expect(try await fixture.ids(in: store).isEmpty)
                try await fixture.append(1, to: store)
            }
        }
    }

    @Test("Ending the transaction inside is refused, and the store goes on", arguments: ["COMMIT", "ROLLBACK"])
    func endedInside(_ statement: String) async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                let error = await storeError {
                    try await store.withSQLiteTransaction { try $0.database.execute(sql: statement) }
                }
                #expect(error?.code == .invalidArgument)
                try await fixture.append(2, to: store)
                #expect(try await fixture.ids(in: store).count == 2)
            }
        }
    }

    @Test(
        "A closure that ends the transaction and begins another is refused, and runs once",
        arguments: [
            "COMMIT; BEGIN", "ROLLBACK; BEGIN", "COMMIT; BEGIN; SAVEPOINT event_streaming",
            "COMMIT; INSERT INTO nowhere VALUES (1)", "COMMIT; BEGIN; INSERT INTO nowhere VALUES (1)",
        ])
    func begunAnew(_ statements: String) async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                let runs = Runs()
                let outcomes = await withTaskGroup(of: (Bool, EventStreamingError?).self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            guard number != 20 else {
                                let error = await storeError {
                                    try await store.withSQLiteTransaction { transaction in
                                        runs.note()
                                        try transaction.database.execute(sql: statements)
                                    }
                                }
                                return (true, error)
                            }
                            let append = StreamAppend(stream: fixture.stream, events: fixture.events(1))
                            return (false, await storeError { _ = try await store.append(append) })
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(runs.count == 1)
                for (isCulprit, error) in outcomes where isCulprit || error != nil {
                    #expect(error?.code == (isCulprit ? .invalidArgument : .storeUnavailable))
                    #expect(error?.message.contains("unknown") == !isCulprit)
                }
                let count = try await fixture.ids(in: store).count
                try await fixture.append(1, to: store)
                #expect(try await fixture.ids(in: store).count == count + 1)
            }
        }
    }

    @Test("Once the closure has ended the transaction, the store does nothing in it any more")
    func nothingAfterTheEnd() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                let error = await storeError {
                    try await store.withSQLiteTransaction { transaction in
                        try transaction.database.execute(sql: "COMMIT")
                        let append = StreamAppend(stream: fixture.stream, events: fixture.events(1))
                        #expect(throws: EventStreamingError.self) { try transaction.append(append) }
                    }
                }
                #expect(error?.code == .invalidArgument)
                #expect(try await fixture.ids(in: store).isEmpty)
            }
        }
    }

    @Test("What was appended before the transaction was ended inside leaves the stream whole")
    func endedAfterAppending() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                let first = fixture.events(1)
                let error = await storeError {
                    try await store.withSQLiteTransaction { transaction in
                        _ = try transaction.append(StreamAppend(stream: fixture.stream, events: first))
                        try transaction.database.execute(sql: "COMMIT")
                    }
                }
                #expect(error?.code == .invalidArgument)
                let second = try await fixture.append(1, to: store)
                let ids = try await fixture.ids(in: store)
                #expect(ids == (first + second).map(\.id))
            }
        }
    }

    @Test("Others are told that the outcome is unknown when one closure ends the transaction they share")
    func endedForOthers() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                let outcomes = await withTaskGroup(of: (MessageID?, EventStreamingError?).self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            guard number != 20 else {
                                let error = await storeError {
                                    try await store.withSQLiteTransaction { try $0.database.execute(sql: "COMMIT") }
                                }
                                return (nil, error)
                            }
                            let events = fixture.events(1)
                            let append = StreamAppend(stream: fixture.stream, events: events)
                            return (events[0].id, await storeError { _ = try await store.append(append) })
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                let stored = Set(try await fixture.ids(in: store))
                for (id, error) in outcomes {
                    guard let id else {
                        #expect(error?.code == .invalidArgument)
                        continue
                    }
                    if let error {
                        #expect(error.code == .storeUnavailable)
                        #expect(error.message.contains("unknown"))
                    } else {
                        #expect(stored.contains(id))
                    }
                }
            }
        }
    }

    @Test("A constraint that is checked at the end fails only the transaction that breaks it, with SQLite's own error")
    func deferredConstraint() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await store.withSQLiteTransaction { transaction in
                    try transaction.database.execute(
                        sql: """
                            CREATE TABLE users (id INTEGER PRIMARY KEY);
                            CREATE TABLE orders (
                                user INTEGER NOT NULL REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED
                            );
                            """
                    )
                }
                let outcomes = await withTaskGroup(of: (Bool, (any Error)?).self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            let breaks = number % 8 == 3
                            do {
                                try await store.withSQLiteTransaction { transaction in
                                    _ = try transaction.append(
                                        StreamAppend(stream: fixture.stream, events: fixture.events(1)))
                                    if breaks {
                                        try transaction.database.execute(sql: "INSERT INTO orders VALUES (7)")
                                    }
                                }
                                return (breaks, nil)
                            } catch {
                                return (breaks, error)
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                for (breaks, error) in outcomes {
                    #expect((error != nil) == breaks)
                    if let error {
                        #expect((error as? DatabaseError)?.resultCode == .SQLITE_CONSTRAINT)
                    }
                }
                #expect(try await fixture.ids(in: store).count == 35)
            }
        }
    }

    @Test("A refusal of the store inside does not end the transaction for those who go on")
    func refusalInside() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                let code = try await store.withSQLiteTransaction { transaction -> EventStreamingError.Code? in
                    var code: EventStreamingError.Code?
                    do throws(EventStreamingError) {
                        let append = StreamAppend(
                            stream: fixture.stream,
                            events: fixture.events(1),
                            expectedVersion: .exists
                        )
                        _ = try transaction.append(append)
                    } catch {
                        code = error.code
                    }
                    _ = try transaction.append(StreamAppend(stream: fixture.stream, events: fixture.events(1)))
                    return code
                }
                #expect(code == .wrongExpectedVersion)
                #expect(try await fixture.ids(in: store).count == 1)
            }
        }
    }
}
