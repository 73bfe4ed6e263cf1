// Durable streams: what one process leaves in an SQLite file, the next one goes on with.
import EventStreaming
import EventStreamingSQLite
import Foundation

#if PostgreSQL
import EventStreamingPostgreSQL
#endif

struct OrderWorkflow: Workflow {
    static let streamName = "orders"
}

struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var number: Int
}

func makeStreaming(path: String) throws -> EventStreaming {
    try EventStreaming(storage: .sqlite(path: path)) { streaming in
        streaming.addStream(OrderWorkflow.self) { stream in
            stream.type = .persistent
        }
        streaming.addEvent(OrderPlaced.self)
        streaming.addSubscription("shipping") { subscription in
            subscription.stream(OrderWorkflow.self)
            subscription.mode = .exclusive
        }
    }
}

/// What a process does: emits some orders, ships some, and ends.
func run(path: String, emitting numbers: ClosedRange<Int>, shipping count: Int) async throws -> [Int] {
    try await withEventStreaming(makeStreaming(path: path)) { streaming in
        try await streaming.emitter.emit(numbers.map { OrderPlaced(number: $0) })
        var shipped: [Int] = []
        for try await delivery in try streaming.subscribe(to: "shipping", as: "shipping-1") {
            guard let order = delivery.event(as: OrderPlaced.self) else { continue }
            try await delivery.acknowledge()
            shipped.append(order.number)
            if shipped.count == count { break }
        }
        return shipped
    }
}

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("orders-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }
let file = folder.appendingPathComponent("orders.sqlite").path

let first = try await run(path: file, emitting: 1...3, shipping: 2)
let second = try await run(path: file, emitting: 4...4, shipping: 2)
print("shipped \(first), and after opening the file again \(second)")
guard first == [1, 2], second == [3, 4] else { exit(1) }

// A repetition with the same id, after an outcome that is unknown, is kept once.
func emitOnce(_ order: OrderPlaced, id: MessageID, _ streaming: EventStreaming) async throws {
    do {
        try await streaming.emitter.emit(order, id: id)
    } catch {
        guard error.isRetriable else { throw error }
        try await streaming.emitter.emit(order, id: id)
    }
}
let streaming = try makeStreaming(path: file)
let id = MessageIDGenerator(clock: SystemClock()).next()
try await emitOnce(OrderPlaced(number: 5), id: id, streaming)
try await emitOnce(OrderPlaced(number: 5), id: id, streaming)
let orders = try await streaming.metadata(of: "orders").count
guard orders == 5 else { exit(1) }

// The tables as SQL, for people who make them by hand.
func printTables() {
    print(SQLiteEventStreamStore.migrationScript)
    #if PostgreSQL
    print(PostgreSQLSchema.sql(from: 0))
    #endif
}
printTables()

#if PostgreSQL
func makeStorage(url: String) throws -> EventStreamingStorage {
    var options = PostgreSQLOptions()
    options.schema = try SchemaName("shop_events")
    options.maximumConnections = 16
    options.migratesSchema = false
    return .postgreSQL(url: url, options: options)
}
_ = try EventStreaming(storage: makeStorage(url: "postgresql://shop@localhost/shop")) { streaming in
    streaming.addStream(OrderWorkflow.self)
}
#endif
