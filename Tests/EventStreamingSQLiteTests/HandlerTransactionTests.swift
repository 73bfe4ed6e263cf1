import EventStreaming
import EventStreamingSQLite
import EventStreamingTesting
import GRDB
import Testing

private struct OrderWorkflow: Workflow {}

private struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var number: Int
}

private struct PlaceOrder: Command {
    var number: Int
    var fails = false
}

/// A handler's own rows, its events and a consumer's checkpoint, committed together.
@Suite("Handlers that write in the store's transaction", .timeLimit(.minutes(5)))
struct HandlerTransactionTests {
    private struct Refusal: Error {}

    private func withService(_ body: @escaping @Sendable (EventStreaming, SQLiteEventStreamStore) async throws -> Void)
        async throws
    {
        try await withTemporaryFolder { folder in
            let store = try SQLiteEventStreamStore(path: folder + "/events.sqlite")
            try await store.withSQLiteTransaction { transaction in
                try transaction.database.execute(sql: "CREATE TABLE orders (number INTEGER PRIMARY KEY)")
                try transaction.database.execute(sql: "CREATE TABLE effects (number INTEGER NOT NULL)")
            }
            let streaming = try EventStreaming(storage: EventStreamingStorage { _ in store }) { streaming in
                streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
                streaming.addSubscription("billing") { subscription in
                    subscription.stream(OrderWorkflow.self)
                    subscription.mode = .exclusive
                    subscription.retry.initialDelay = .milliseconds(1)
                }
                streaming.commands.on(PlaceOrder.self, in: OrderWorkflow.self) { command, workflow in
                    workflow.write { transaction in
                        try transaction.sqlite.database.execute(
                            sql: "INSERT INTO orders VALUES (?)",
                            arguments: [command.number]
                        )
                    }
                    workflow.write { _ in
                        if command.fails { throw Refusal() }
                    }
                    workflow.emit(OrderPlaced(number: command.number))
                }
            }
            try await body(streaming, store)
        }
    }

    private func numbers(in table: String, of store: SQLiteEventStreamStore) async throws -> [Int] {
        try await store.withSQLiteTransaction { transaction in
            try Int.fetchAll(transaction.database, sql: "SELECT number FROM \(table) ORDER BY number")
        }
    }

    @Test("A command's rows and its events are committed together, or not at all")
    func commands() async throws {
        try await withService { streaming, store in
            try await streaming.commands.send(PlaceOrder(number: 1))
            await #expect(throws: Refusal.self) {
                try await streaming.commands.send(PlaceOrder(number: 2, fails: true))
            }
            // A violated constraint of the handler's own table takes the events with it.
            await #expect(throws: DatabaseError.self) { try await streaming.commands.send(PlaceOrder(number: 1)) }
            try await streaming.commands.send(PlaceOrder(number: 3))
            #expect(try await numbers(in: "orders", of: store) == [1, 3])
            #expect(try await streaming.metadata(of: "order-events").count == 2)
        }
    }

    @Test("An effect is made once for each event, though handling it fails and is repeated")
    func effects() async throws {
        try await withService { streaming, store in
            for number in 1...20 {
                try await streaming.commands.send(PlaceOrder(number: number))
            }
            var failures = 0
            try await streaming.withSubscription(to: "billing", as: "biller") { deliveries in
                var done = 0
                for try await delivery in deliveries {
                    let number = try #require(delivery.event(as: OrderPlaced.self)).number
                    do {
                        try await delivery.acknowledge { transaction in
                            try transaction.sqlite.database.execute(
                                sql: "INSERT INTO effects VALUES (?)",
                                arguments: [number]
                            )
                            if number % 3 == 0, delivery.attempt == 1 { throw Refusal() }
                        }
                        done += 1
                    } catch is Refusal {
                        failures += 1
                        try await delivery.reject()
                    }
                    if done == 20 { return }
                }
            }
            #expect(failures == 6)
            #expect(try await numbers(in: "effects", of: store) == Array(1...20))
            #expect(try await streaming.progress(of: "billing").map(\.isFinished) == [true])
        }
    }

    @Test("Nothing is written for a delivery that was settled before")
    func settledBefore() async throws {
        try await withService { streaming, store in
            try await streaming.commands.send(PlaceOrder(number: 1))
            try await streaming.withSubscription(to: "billing", as: "biller") { deliveries in
                for try await delivery in deliveries {
                    try await delivery.acknowledge()
                    await #expect(throws: EventStreamingError.self) {
                        try await delivery.acknowledge { transaction in
                            try transaction.sqlite.database.execute(sql: "INSERT INTO effects VALUES (1)")
                        }
                    }
                    return
                }
            }
            #expect(try await numbers(in: "effects", of: store) == [])
        }
    }
}
