// A consumer group: members share the work, and each customer's orders stay in order.
import EventStreaming
import EventStreamingInMemory
import Synchronization

struct OrderWorkflow: Workflow {}

struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var customer: String
    var number: Int

    /// Orders of one customer are handled one after the other.
    var partitionKey: String? { customer }
}

/// What was handled, by customer.
final class Ledger: Sendable {
    let orders = Mutex<[String: [Int]]>([:])
}

let ledger = Ledger()
let storage: EventStreamingStorage = {
    let store = InMemoryEventStreamStore()
    return EventStreamingStorage { _ in store }
}()

/// One member of the group: this runs in as many processes as there is work for.
func makeMember() throws -> EventStreaming {
    try EventStreaming(storage: storage) { [ledger] streaming in
        streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
        streaming.addSubscription("analytics") { subscription in
            subscription.stream(OrderWorkflow.self)
            subscription.mode = .consumerGroup
            subscription.partitions = 16
            subscription.maximumConcurrency = 4
            subscription.handle(OrderPlaced.self) { order, _ in
                ledger.orders.withLock { $0[order.customer, default: []].append(order.number) }
            }
        }
    }
}

try await withEventStreaming(try makeMember()) { first in
    try await withEventStreaming(try makeMember()) { second in
        for number in 1...60 {
            try await second.emitter.emit(OrderPlaced(customer: "customer-\(number % 7)", number: number))
        }
        for partition in try await second.partitions(of: "analytics") {
            print(partition.number, partition.owner?.rawValue ?? "-", partition.epoch)
        }
    }
    // What the second member left, the first one takes over.
    var done = false
    while !done {
        done = try await first.progress(of: "analytics").allSatisfy(\.isFinished)
        await Task.yield()
    }
}
let isOrdered = ledger.orders.withLock { orders in
    orders.values.allSatisfy { $0 == $0.sorted() } && orders.values.reduce(0) { $0 + $1.count } == 60
}
print("every customer's orders came in order:", isOrdered)
precondition(isOrdered)

// A group in which nothing goes on behind a dead letter of its key.
_ = try EventStreaming { streaming in
    streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
    streaming.addSubscription("ledger") { subscription in
        subscription.stream(OrderWorkflow.self)
        subscription.mode = .consumerGroup
        subscription.keepsOrder = true
    }
}
