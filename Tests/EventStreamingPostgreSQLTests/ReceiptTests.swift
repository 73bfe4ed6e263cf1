#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Testing

@Suite("Receipts of several instances", .timeLimit(.minutes(2)))
struct ReceiptTests {
    private let stream: StreamName
    private let subscription: SubscriptionID
    private let ids = MessageIDGenerator(clock: SystemClock())
    private let options: PostgreSQLOptions

    init() throws {
        stream = try StreamName("notices")
        subscription = try SubscriptionID("admins")
        var options = try PostgreSQLServer.freshOptions()
        options.usesServerTime = true
        options.sendsHints = false
        self.options = options
    }

    private func makeStore() throws -> PostgreSQLEventStreamStore {
        try PostgreSQLEventStreamStore(url: PostgreSQLServer.shared.get().url(), options: options)
    }

    private func prepare(events count: Int, in store: PostgreSQLEventStreamStore) async throws {
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        var definition = try SubscriptionDefinition(id: subscription, stream: stream, mode: .readReceipt)
        definition.retry.maximumAttempts = 3
        try await store.createSubscription(definition)
        _ = try await store.enqueue(makeEvents(count, ids), to: stream)
    }

    private func offsets(_ range: Range<Int64>) -> Range<StreamOffset> {
        StreamOffset(range.lowerBound)..<StreamOffset(range.upperBound)
    }

    private func numbers(_ query: String, in store: PostgreSQLEventStreamStore) async throws -> [Int64] {
        let rows = try await store.withPostgreSQLTransaction { try $0.execute(query) }
        return rows.compactMap { row in row.first.flatMap { $0 }.flatMap { Int64($0) } }
    }

    @Test("Marks, settlements and expiry of the same users at the same time leave one receipt for each event")
    func together() async throws {
        let total: Int64 = 120
        let users = try (0..<3).map { try ConsumerID("user-\($0)") }
        let stores = try (0..<3).map { _ in try makeStore() }
        try await prepare(events: Int(total), in: stores[0])
        var read = 0
        try await withThrowingTaskGroup(of: Int.self) { group in
            for (number, user) in users.enumerated() {
                let store = stores[number]
                let registration = try await store.registerConsumer(user, of: subscription, kind: .durable, start: nil)
                group.addTask {
                    while case .lease(let lease) = try await store.dequeue(as: registration, limit: 5) {
                        try await store.acknowledge(lease)
                    }
                    return 0
                }
                // In another instance than the one that delivers.
                let other = stores[(number + 1) % 3]
                group.addTask {
                    var count = 0
                    for _ in 0..<40 {
                        count += try await other.markRead(.unread(before: nil), by: user, of: subscription)
                    }
                    return count
                }
            }
            for policy in [UnreadPolicy.requeue, .drop] {
                group.addTask {
                    for _ in 0..<15 {
                        _ = try await stores[2].expireUnread(of: subscription, after: .zero, policy: policy, limit: 3)
                    }
                    return 0
                }
            }
            for try await count in group {
                read += count
            }
        }
        for user in users {
            read += try await stores[0].markRead(.unread(before: nil), by: user, of: subscription)
            #expect(try await stores[1].unreadCount(of: user, in: subscription) == 0)
        }
        let rows = try await numbers(
            """
            SELECT count(*) FROM read_receipts a JOIN read_receipts b ON a.consumer = b.consumer
                AND a.first_offset < b.first_offset AND a.end_offset > b.first_offset
            """,
            in: stores[0]
        )
        #expect(rows == [0], "receipts overlap")
        let finished = try await numbers(
            "SELECT sum(end_offset - first_offset)::bigint FROM read_receipts GROUP BY consumer", in: stores[0])
        #expect(finished == [total, total, total])
        let marked = try await numbers(
            "SELECT coalesce(sum(end_offset - first_offset), 0)::bigint FROM read_receipts WHERE status = 3",
            in: stores[0]
        )
        #expect(marked == [Int64(read)], "each event is read once")
    }

    @Test("Marking and counting leave the subscription alone")
    func subscriptionIsNotTouched() async throws {
        let store = try makeStore()
        try await prepare(events: 10, in: store)
        let user = try ConsumerID("ada")
        try await store.createConsumer(user, of: subscription, start: nil)
        let version = try await numbers("SELECT version FROM subscriptions", in: store)
        try await store.markDelivered([offsets(0..<10)], to: user, of: subscription)
        #expect(try await store.markRead(.offsets([offsets(2..<4)]), by: user, of: subscription) == 2)
        #expect(try await store.unreadCount(of: user, in: subscription) == 8)
        #expect(try await store.markRead(.unread(before: nil), by: user, of: subscription) == 8)
        #expect(try await numbers("SELECT version FROM subscriptions", in: store) == version)
        #expect(try await numbers("SELECT count(*) FROM read_receipts", in: store) == [1])
    }

    @Test("Receipts of a consumer that is removed while somebody marks them are gone")
    func removal() async throws {
        let stores = try (0..<2).map { _ in try makeStore() }
        try await prepare(events: 50, in: stores[0])
        let user = try ConsumerID("ada")
        for _ in 0..<10 {
            try await stores[0].createConsumer(user, of: subscription, start: nil)
            try await stores[0].markDelivered([offsets(0..<50)], to: user, of: subscription)
            async let marking: Void = {
                for offset in Int64(0)..<20 {
                    do throws(EventStreamingError) {
                        _ = try await stores[1].markRead(
                            .offsets([offsets(offset * 2..<offset * 2 + 1)]), by: user, of: subscription)
                    } catch {
                        #expect(error.code == .unknownConsumer)
                        return
                    }
                }
            }()
            #expect(try await stores[0].removeConsumer(user, of: subscription))
            await marking
            #expect(try await numbers("SELECT count(*) FROM read_receipts", in: stores[0]) == [0])
        }
    }

    @Test("A receipt that nobody of us wrote is told")
    func damage() async throws {
        let store = try makeStore()
        try await prepare(events: 10, in: store)
        let user = try ConsumerID("ada")
        try await store.createConsumer(user, of: subscription, start: nil)
        try await store.markDelivered([offsets(0..<10)], to: user, of: subscription)
        _ = try await store.withPostgreSQLTransaction { transaction in
            try transaction.execute("UPDATE read_receipts SET first_offset = 5, end_offset = 4")
        }
        try await expectError(.storeDamaged) {
            _ = try await store.markRead(.unread(before: nil), by: user, of: subscription)
        }
    }
}
#endif
