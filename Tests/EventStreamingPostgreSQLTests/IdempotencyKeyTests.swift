#if PostgreSQL
import EventStreaming
import EventStreamingPostgreSQL
import PostgreSQLTesting
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

/// Commands with an idempotency key, sent to several instances.
@Suite("Idempotency keys in PostgreSQL", .timeLimit(.minutes(2)))
struct IdempotencyKeyTests {
    private let options: PostgreSQLOptions

    init() throws {
        var options = try PostgreSQLServer.freshOptions()
        options.eventsPerPartition = 1000
        self.options = options
    }

    private func makeStore() async throws -> PostgreSQLEventStreamStore {
        let store = try PostgreSQLEventStreamStore(url: PostgreSQLServer.shared.get().url(), options: options)
        _ = try await store.withPostgreSQLTransaction {
            try $0.execute("SELECT pg_advisory_xact_lock(1)")
            return try $0.execute("CREATE TABLE IF NOT EXISTS effects (number bigint NOT NULL)")
        }
        return store
    }

    private func service(
        _ store: PostgreSQLEventStreamStore,
        writes: Bool,
        before: @escaping @Sendable () async throws -> Void = {}
    ) throws -> EventStreaming {
        try EventStreaming(storage: EventStreamingStorage { _ in store }) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.commands.on(PlaceOrder.self, in: OrderWorkflow.self) { command, workflow in
                try await before()
                if writes {
                    workflow.write { transaction in
                        try transaction.postgreSQL.execute("INSERT INTO effects VALUES ($1::bigint)", ["1"])
                    }
                }
                workflow.emit(OrderPlaced(number: command.number))
                return "\(MessageIDGenerator(clock: SystemClock()).next())"
            }
        }
    }

    @Test("Of many at a time in several instances one commits, and all get its response", arguments: [true, false])
    func atOnce(writes: Bool) async throws {
        let stores = [try await makeStore(), try await makeStore()]
        let arrivals = Mutex(0)
        let services = try stores.map { store in
            try service(store, writes: writes) {
                let deadline = ContinuousClock.now + .seconds(60)
                arrivals.withLock { $0 += 1 }
                while arrivals.withLock({ $0 < 8 }) {
                    guard ContinuousClock.now < deadline else { throw EventStreamingError(.timedOut, "alone") }
                    await Task.yield()
                }
            }
        }
        let responses = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<8 {
                group.addTask {
                    try await services[number % 2].commands.send(PlaceOrder(number: 1), idempotencyKey: "k")
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(arrivals.withLock { $0 } == 8)
        #expect(Set(responses).count == 1)
        #expect(try await services[1].metadata(of: "order-events").count == 1)
        let rows = try await stores[0].withPostgreSQLTransaction { try $0.execute("SELECT number::text FROM effects") }
        #expect(rows == (writes ? [["1"]] : []))
    }

    @Test("A key is remembered by new instances, and where later events lie in other partitions")
    func later() async throws {
        let first: String
        do {
            let streaming = try service(try await makeStore(), writes: true)
            first = try await streaming.commands.send(PlaceOrder(number: 1), idempotencyKey: "k")
            try await streaming.emitter.emit((0..<2500).map { OrderPlaced(number: $0) })
        }
        let store = try await makeStore()
        let streaming = try service(store, writes: true)
        #expect(try await streaming.commands.send(PlaceOrder(number: 1), idempotencyKey: "k") == first)
        let other = try await streaming.commands.send(PlaceOrder(number: 1), idempotencyKey: "l")
        #expect(other != first)
        #expect(try await streaming.commands.send(PlaceOrder(number: 1), idempotencyKey: "l") == other)
        #expect(try await streaming.metadata(of: "order-events").count == 2502)
        let rows = try await store.withPostgreSQLTransaction { try $0.execute("SELECT number::text FROM effects") }
        #expect(rows.count == 2)
    }
}
#endif
