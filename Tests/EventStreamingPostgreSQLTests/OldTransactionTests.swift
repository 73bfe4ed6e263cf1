#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Synchronization
import Testing

/// Somebody's transaction that began before all others, and stays open.
@Suite("An old transaction", .timeLimit(.minutes(2)))
struct OldTransactionTests {
    private final class OldTransaction: Sendable {
        let isOpen = Atomic(false)
        let isOver = Atomic(false)
    }

    private let ids = MessageIDGenerator(clock: SystemClock())

    @Test(
        "Holds nobody up, and what it appends in the end is neither out of order nor passed over",
        arguments: ["READ COMMITTED", "REPEATABLE READ"]
    )
    func old(_ isolation: String) async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.eventsPerPartition = 1000 }
        let stream = try StreamName("orders")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        let subscription = try SubscriptionDefinition(id: SubscriptionID("mailer"), stream: stream, mode: .exclusive)
        try await store.createSubscription(subscription)
        let consumer = try await store.registerConsumer(
            ConsumerID("c"), of: subscription.id, kind: .durable, start: nil)
        let before = makeEvents(5, ids)
        _ = try await store.enqueue(before, to: stream)
        let (last, appendsLast) = (makeEvents(3, ids), isolation == "READ COMMITTED")
        let old = OldTransaction()
        let during = makeEvents(2500, ids)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await store.withPostgreSQLTransaction { transaction in
                    try transaction.execute("SET TRANSACTION ISOLATION LEVEL \(isolation)")
                    // A number for what it writes, lower than those of all others, and a lock on what it has read.
                    try transaction.execute("SELECT pg_current_xact_id(), count(*) FROM events")
                    old.isOpen.store(true, ordering: .releasing)
                    while !old.isOver.load(ordering: .acquiring) {
                        try transaction.execute("SELECT pg_sleep(0.01)")
                    }
                    guard appendsLast else { return }
                    _ = try transaction.append(StreamAppend(stream: stream, events: last))
                }
            }
            defer { old.isOver.store(true, ordering: .releasing) }
            try await eventually("the old transaction") { old.isOpen.load(ordering: .acquiring) }
            // Into partitions that are not there yet.
            for start in stride(from: 0, to: during.count, by: 50) {
                let result = try await store.enqueue(Array(during[start..<start + 50]), to: stream)
                #expect(result.offsets.lowerBound.rawValue == Int64(start + 5))
            }
            #expect(try await finished(2505, as: consumer, in: store) == (before + during).map(\.id))
            // Whole partitions have nothing left, and cannot be dropped now.
            _ = try await store.trim(stream, before: StreamOffset(2100))
            _ = try await store.expireConsumers()
            let rest = try await store.read(stream, from: StreamOffset(2100), direction: .forward, limit: .max)
            #expect(rest.map(\.id) == during[2095...].map(\.id))
        }
        guard appendsLast else { return }
        #expect(try await finished(3, as: consumer, in: store) == last.map(\.id))
        #expect(try await store.metadata(of: stream).head == StreamOffset(2508))
        #expect(try await store.offset(of: nil, in: subscription.id) == StreamOffset(2508))
    }

    /// Acknowledges events until there were so many, and returns their ids.
    private func finished(
        _ count: Int,
        as consumer: ConsumerRegistration,
        in store: PostgreSQLEventStreamStore
    ) async throws -> [MessageID] {
        var ids: [MessageID] = []
        while ids.count < count {
            guard case .lease(let lease) = try await store.dequeue(as: consumer, limit: 100) else { break }
            ids += lease.events.map(\.id)
            try await store.acknowledge(lease)
        }
        return ids
    }
}
#endif
