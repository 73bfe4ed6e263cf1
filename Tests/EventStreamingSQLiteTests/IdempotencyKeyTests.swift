import EventStreaming
import EventStreamingSQLite
import EventStreamingTesting
import GRDB
import Synchronization
import Testing

private struct OrderWorkflow: Workflow {}

private struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var number: Int
}

private struct PlaceOrder: Command, Codable {
    typealias Response = String
    var number: Int
}

/// Commands with an idempotency key whose handler writes rows of its own.
@Suite("Idempotency keys in SQLite", .timeLimit(.minutes(5)))
struct IdempotencyKeyTests {
    private func withStore(_ path: String, _ body: (EventStreaming, SQLiteEventStreamStore) async throws -> Void)
        async throws
    {
        let store = try SQLiteEventStreamStore(path: path)
        try await store.withSQLiteTransaction { transaction in
            try transaction.database.execute(sql: "CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY)")
        }
        try await body(try service(store, keepsRows: true), store)
    }

    private func service(
        _ store: any EventStreamingStore,
        keepsRows: Bool,
        before: @escaping @Sendable () async throws -> Void = {}
    ) throws -> EventStreaming {
        try EventStreaming(storage: EventStreamingStorage { _ in store }) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.commands.on(PlaceOrder.self, in: OrderWorkflow.self) { command, workflow in
                try await before()
                workflow.write { transaction in
                    try transaction.sqlite.database.execute(
                        sql: keepsRows ? "INSERT INTO orders VALUES (?)" : "INSERT INTO effects VALUES (?)",
                        arguments: [command.number]
                    )
                }
                workflow.emit(OrderPlaced(number: command.number))
                return "\(MessageIDGenerator(clock: SystemClock()).next())"
            }
        }
    }

    private func numbers(in table: String, of store: SQLiteEventStreamStore) async throws -> [Int] {
        try await store.withSQLiteTransaction { transaction in
            try Int.fetchAll(transaction.database, sql: "SELECT number FROM \(table) ORDER BY number")
        }
    }

    @Test("Rows and event come once, after the file was opened again too")
    func reopened() async throws {
        try await withTemporaryFolder { folder in
            var responses: Set<String> = []
            for _ in 1...3 {
                try await withStore(folder + "/events.sqlite") { streaming, store in
                    for _ in 1...2 {
                        // A second row would break the key of the table.
                        responses.insert(try await streaming.commands.send(PlaceOrder(number: 1), idempotencyKey: "k"))
                    }
                    #expect(try await numbers(in: "orders", of: store) == [1])
                    #expect(try await streaming.metadata(of: "order-events").count == 1)
                }
            }
            #expect(responses.count == 1)
        }
    }

    @Test("A commit whose answer was lost has had its effect; one that failed has had none")
    func lost() async throws {
        try await withTemporaryFolder { folder in
            try await withStore(folder + "/events.sqlite") { _, store in
                let faulty = FaultInjectingStore(wrapping: store)
                let streaming = try service(faulty, keepsRows: true)
                let unavailable = EventStreamingError(.storeUnavailable, "The answer is lost.")
                for (number, effect) in [FaultInjectingStore.Effect.after, .before].enumerated() {
                    faulty.fail(.transaction, with: unavailable, on: .nextCalls(1), effect: effect)
                    let code = await storeError {
                        _ = try await streaming.commands.send(PlaceOrder(number: number), idempotencyKey: "\(number)")
                    }?.code
                    #expect(code == (effect == .after ? nil : .storeUnavailable))
                    _ = try await streaming.commands.send(PlaceOrder(number: number), idempotencyKey: "\(number)")
                }
                #expect(try await numbers(in: "orders", of: store) == [0, 1])
                #expect(try await streaming.metadata(of: "order-events").count == 2)
            }
        }
    }

    @Test("Of many at a time one commits its rows and its event, and all get its response", arguments: [true, false])
    func atOnce(isUnique: Bool) async throws {
        try await withTemporaryFolder { folder in
            try await withStore(folder + "/events.sqlite") { _, store in
                // Where the table refuses nothing, only the event tells that somebody was faster.
                try await store.withSQLiteTransaction { transaction in
                    try transaction.database.execute(sql: "CREATE TABLE effects (number INTEGER NOT NULL)")
                }
                let arrivals = Mutex(0)
                let streaming = try service(store, keepsRows: isUnique) {
                    let deadline = ContinuousClock.now + .seconds(60)
                    arrivals.withLock { $0 += 1 }
                    while arrivals.withLock({ $0 < 8 }) {
                        guard ContinuousClock.now < deadline else { throw EventStreamingError(.timedOut, "alone") }
                        await Task.yield()
                    }
                }
                let responses = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 1...8 {
                        group.addTask {
                            try await streaming.commands.send(PlaceOrder(number: 1), idempotencyKey: "k")
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(arrivals.withLock { $0 } == 8)
                #expect(Set(responses).count == 1)
                #expect(try await numbers(in: isUnique ? "orders" : "effects", of: store) == [1])
                #expect(try await streaming.metadata(of: "order-events").count == 1)
            }
        }
    }
}
