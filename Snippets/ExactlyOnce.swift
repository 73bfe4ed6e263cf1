// Exactly once: a payment that is booked once for each order, whatever fails; and a mail that is sent by lock and mark.
import EventStreaming
import EventStreamingSQLite
import Foundation
import GRDB

struct OrderWorkflow: Workflow {}

struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var number: Int
    var amount: Int
}

/// The provider of mails, whose sending no transaction covers.
struct Mailer: Sendable {
    /// Sends a mail, unless one with this key was sent before.
    func send(_ text: String, key: String) async throws {
        print("mail \(key.prefix(8))…: \(text)")
    }
}

let mailer = Mailer()
let folder = FileManager.default.temporaryDirectory.appendingPathComponent("orders-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }

let store = try SQLiteEventStreamStore(path: folder.appendingPathComponent("orders.sqlite").path)
try await store.withSQLiteTransaction { transaction in
    try transaction.database.execute(sql: "CREATE TABLE payments (order_number INTEGER, amount INTEGER)")
}

let streaming = try EventStreaming(storage: EventStreamingStorage { _ in store }) { [mailer] streaming in
    streaming.addStream(OrderWorkflow.self) { stream in
        stream.type = .persistent
        stream.semantics = .exactlyOnce
    }
    streaming.addSubscription("payments") { subscription in
        subscription.stream(OrderWorkflow.self)
        subscription.mode = .exclusive
        subscription.retry.initialDelay = .milliseconds(10)
        subscription.handleInTransaction(OrderPlaced.self) { order, delivery, transaction in
            try transaction.sqlite.database.execute(
                sql: "INSERT INTO payments VALUES (?, ?)",
                arguments: [order.number, order.amount]
            )
            // The row is undone with the transaction, and the event comes again.
            if order.number == 2, delivery.attempt == 1 { throw NotToday() }
        }
    }
    streaming.addSubscription("confirmations") { subscription in
        subscription.stream(OrderWorkflow.self)
        subscription.mode = .exclusive
        subscription.semantics = .exactlyOnce(.lockAndMark)
        subscription.handle(OrderPlaced.self) { order, delivery in
            try await mailer.send("order \(order.number) is on its way", key: "\(delivery.record.id)")
        }
    }
}

struct NotToday: Error {}

/// Has the payments booked again that were booked so far, say because their table was lost.
func bookAgain(_ streaming: EventStreaming) async throws {
    try await streaming.forgetProcessed(by: "payments")
    try await streaming.setPosition(of: "payments", to: .beginning)
}

/// In a loop, only what is written in a transaction finishes an event.
func book(_ delivery: Delivery) async throws {
    guard let order = delivery.event(as: OrderPlaced.self) else { return }
    try await delivery.acknowledge { transaction in
        try transaction.sqlite.database.execute(
            sql: "INSERT INTO payments VALUES (?, ?)",
            arguments: [order.number, order.amount]
        )
    }
}

/// Waits until both subscriptions have finished everything.
func finish(_ streaming: EventStreaming) async throws {
    for subscription in ["payments", "confirmations"] {
        while try await !streaming.progress(of: subscription).allSatisfy(\.isFinished) {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

try await withEventStreaming(streaming) { streaming in
    for number in 1...3 {
        try await streaming.emitter.emit(OrderPlaced(number: number, amount: 10 * number))
    }
    try await finish(streaming)
    // Delivered again, and passed over: the marks say that they were processed.
    try await streaming.setPosition(of: "payments", to: .beginning)
    try await finish(streaming)
}
let booked = try await store.withSQLiteTransaction { transaction in
    try Int.fetchAll(transaction.database, sql: "SELECT order_number FROM payments ORDER BY order_number")
}
print("payments booked:", booked)
guard booked == [1, 2, 3] else { exit(1) }
