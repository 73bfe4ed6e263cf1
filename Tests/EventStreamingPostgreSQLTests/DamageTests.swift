#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Testing

@Suite("Rows that nobody of us wrote", .timeLimit(.minutes(2)))
struct DamageTests {
    private let stream: StreamName
    private let subscription: SubscriptionID
    private let ids = MessageIDGenerator(clock: SystemClock())
    private let options: PostgreSQLOptions

    init() throws {
        stream = try StreamName("orders")
        subscription = try SubscriptionID("billing")
        options = try PostgreSQLServer.freshOptions()
    }

    /// A store that remembers nothing of what others have done.
    private func freshStore() throws -> PostgreSQLEventStreamStore {
        try PostgreSQLEventStreamStore(url: PostgreSQLServer.shared.get().url(), options: options)
    }

    private func makeStore(
        _ mode: SubscriptionMode = .exclusive,
        events count: Int
    ) async throws -> PostgreSQLEventStreamStore {
        let store = try freshStore()
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        try await store.createSubscription(
            try SubscriptionDefinition(id: subscription, stream: stream, mode: mode)
        )
        _ = try await store.enqueue(makeEvents(count, ids), to: stream)
        return store
    }

    private func register(_ name: String, in store: PostgreSQLEventStreamStore) async throws -> ConsumerRegistration {
        try await store.registerConsumer(ConsumerID(name), of: subscription, kind: .durable, start: nil)
    }

    private func lease(
        _ limit: Int,
        as consumer: ConsumerRegistration,
        in store: PostgreSQLEventStreamStore
    ) async throws -> Lease? {
        guard case .lease(let lease) = try await store.dequeue(as: consumer, limit: limit) else { return nil }
        return lease
    }

    private func change(_ statement: String, in store: PostgreSQLEventStreamStore) async throws {
        _ = try await store.withPostgreSQLTransaction { try $0.execute(statement) }
    }

    @Test(
        "An event that cannot be read is told",
        arguments: ["correlation_id = 'a' || chr(7)", "headers = 'none'"],
        [true, false]
    )
    func event(_ change: String, isRead: Bool) async throws {
        let store = try await makeStore(events: 2)
        try await self.change("UPDATE events SET \(change)", in: store)
        try await expectError(.storeDamaged) {
            if isRead {
                _ = try await store.read(stream, from: .zero, direction: .forward, limit: 10)
            } else {
                _ = try await lease(2, as: try await register("one", in: store), in: store)
            }
        }
    }

    @Test(
        "A name that is none is told",
        arguments: [
            "UPDATE consumer_offsets SET consumer = '../x'", "UPDATE deliveries SET consumer = '../x'",
            "UPDATE subscriptions SET name = '../x'",
            "UPDATE streams SET name = '../x' WHERE name = 'orders'",
        ])
    func names(_ statement: String) async throws {
        do {
            let store = try await makeStore(.broadcast, events: 2)
            _ = try await lease(1, as: try await register("one", in: store), in: store)
            try await change(statement, in: store)
            try await change("UPDATE streams SET maximum_count = 1", in: store)
        }
        let store = try freshStore()
        let error = try await expectError(.storeDamaged) {
            if statement.contains("subscriptions") {
                _ = try await store.applyRetention(to: stream)
            } else {
                _ = try await store.consumers(of: subscription)
            }
        }
        #expect(error.message.contains(#""../x""#))
    }

    @Test("The settlement of before is recorded though the next events cannot be read, and those are given back")
    func settlement() async throws {
        let store = try await makeStore(events: 4)
        let consumer = try await register("one", in: store)
        let lease = try #require(try await lease(2, as: consumer, in: store))
        #expect(lease.events.count == 2)
        try await change(#"UPDATE events SET headers = 'none' WHERE "offset" = 3"#, in: store)
        let settlement = Settlement(of: consumer, leaseEpoch: lease.epoch, completed: [lease.offsets])
        try await expectError(.storeDamaged) {
            _ = try await store.dequeue(as: consumer, limit: 2, settling: settlement)
        }
        #expect(try await store.progress(of: subscription).first?.position == StreamOffset(2))
        try await change("UPDATE events SET headers = NULL", in: store)
        // Nothing holds them, and nobody has tried them yet.
        let next = try #require(try await self.lease(2, as: consumer, in: store))
        #expect(next.events.map(\.offset) == [StreamOffset(2), StreamOffset(3)])
        #expect(next.attempt == 1)
    }

    @Test("Only who gets the event that cannot be read is told")
    func others() async throws {
        let store = try await makeStore(events: 100)
        try await change(#"UPDATE events SET headers = 'none' WHERE "offset" = 50"#, in: store)
        var consumers: [ConsumerRegistration] = []
        for number in 0..<20 {
            consumers.append(try await register("consumer-\(number)", in: store))
        }
        // Together, so that they share their commits.
        let outcomes = await withTaskGroup(of: [StreamOffset]?.self) { group in
            for consumer in consumers {
                group.addTask { try? await lease(5, as: consumer, in: store)?.events.map(\.offset) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let delivered = outcomes.compactMap { $0 }.flatMap { $0 }
        #expect(outcomes.filter { $0 == nil }.count == 1)
        #expect(Set(delivered).count == 95)
        #expect(!delivered.contains(StreamOffset(50)))
    }
}
#endif
