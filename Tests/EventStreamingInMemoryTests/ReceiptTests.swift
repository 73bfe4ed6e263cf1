import EventStreamingCore
import EventStreamingTesting
import Testing

@testable import EventStreamingInMemory
@testable import EventStreamingStoreKit

@Suite("Receipts in memory")
struct ReceiptTests {
    private static let hour = Duration.seconds(3600)

    private func makeFixture(
        configure: (inout SubscriptionDefinition) -> Void = { _ in }
    ) async throws -> Fixture {
        let fixture = try await Fixture(.persistent)
        try await fixture.subscribe(.readReceipt) { definition in
            definition.consumerTimeout = .seconds(86_400)
            configure(&definition)
        }
        return fixture
    }

    private func offsets(_ range: Range<Int64>) -> Range<StreamOffset> {
        StreamOffset(range.lowerBound)..<StreamOffset(range.upperBound)
    }

    @Test("What is settled has a receipt, and what is read with it is read")
    func settling() async throws {
        let fixture = try await makeFixture()
        let user = try await fixture.register("ada")
        try await fixture.append(10)
        let lease = try #require(await fixture.lease(user))
        var settlement = Settlement(of: user, leaseEpoch: lease.epoch, completed: [offsets(0..<6)])
        settlement.read = [offsets(4..<7)]
        let error = await #expect(throws: EventStreamingError.self) { try await fixture.store.settle(settlement) }
        #expect(error?.code == .invalidArgument)
        settlement.read = [offsets(4..<6)]
        settlement.rejections = [Rejection(offsets: offsets(6..<7), action: .deadLetter, reason: "no")]
        try await fixture.store.settle(settlement)
        #expect(try await fixture.store.unreadCount(of: user.consumer, in: fixture.subscription) == 4)
        let who = try await fixture.store.receipts(
            for: StreamOffset(5),
            in: fixture.subscription,
            after: nil,
            limit: 10
        )
        #expect(who.map(\.status) == [.read])
        let unsettled = await #expect(throws: EventStreamingError.self) {
            try await fixture.store.markRead(.offsets([offsets(6..<7)]), by: user.consumer, of: fixture.subscription)
        }
        #expect(unsettled?.code == .notDelivered)
    }

    @Test("Unread events come again until the attempts are used up, then they are dead letters")
    func requeue() async throws {
        let fixture = try await makeFixture { $0.retry.maximumAttempts = 2 }
        let user = try await fixture.register("ada")
        try await fixture.append(3)
        let store = fixture.store
        for attempt in 1...2 {
            for _ in 0..<(attempt == 1 ? 1 : 3) {
                let lease = try #require(await fixture.lease(user))
                #expect(lease.isRedriven == (attempt == 2))
                try await store.acknowledge(lease)
            }
            let early = try await store.expireUnread(
                of: fixture.subscription, after: Self.hour, policy: .requeue, limit: 10)
            #expect(early.isEmpty)
            fixture.clock.advance(by: Self.hour)
            let first = try await store.expireUnread(
                of: fixture.subscription, after: Self.hour, policy: .requeue, limit: 2)
            #expect(first == (attempt == 1 ? UnreadExpiry(requeued: 2) : UnreadExpiry(deadLettered: 2)))
            let rest = try await store.expireUnread(
                of: fixture.subscription, after: Self.hour, policy: .requeue, limit: 2)
            #expect(rest == (attempt == 1 ? UnreadExpiry(requeued: 1) : UnreadExpiry(deadLettered: 1)))
        }
        let letters = try await fixture.deadLetters()
        #expect(letters.map(\.reason) == Array(repeating: "Not read within 60 minutes.", count: 3))
        #expect(letters.allSatisfy { $0.consumer == user.consumer && $0.attempts == 2 })
        let expired = await #expect(throws: EventStreamingError.self) {
            try await store.markRead(.offsets([offsets(0..<1)]), by: user.consumer, of: fixture.subscription)
        }
        #expect(expired?.code == .receiptExpired)

        #expect(try await store.redrive(offsets(0..<1), of: fixture.subscription) == 1)
        #expect(try await store.unreadCount(of: user.consumer, in: fixture.subscription) == 1)
        #expect(try await store.markRead(.unread(before: nil), by: user.consumer, of: fixture.subscription) == 1)
    }

    @Test("A requeued event that is given up by its consumer has expired")
    func givenUp() async throws {
        let fixture = try await makeFixture()
        let user = try await fixture.register("ada")
        try await fixture.append(1)
        try await fixture.store.acknowledge(try #require(await fixture.lease(user)))
        fixture.clock.advance(by: Self.hour)
        let expiry = try await fixture.store.expireUnread(
            of: fixture.subscription, after: .zero, policy: .requeue, limit: 10)
        #expect(expiry == UnreadExpiry(requeued: 1))
        let again = try #require(await fixture.lease(user))
        try await fixture.store.nack(again.offsets, of: again, action: .deadLetter, reason: "no")
        let who = try await fixture.store.receipts(for: .zero, in: fixture.subscription, after: nil, limit: 10)
        #expect(who.map(\.status) == [.expired])
    }

    @Test("Receipts go with their consumer")
    func removal() async throws {
        let fixture = try await makeFixture()
        let durable = try await fixture.register("ada")
        let temporary = try await fixture.register("bob", kind: .temporary)
        try await fixture.append(1)
        for user in [durable, temporary] {
            try await fixture.store.acknowledge(try #require(await fixture.lease(user)))
        }
        try await fixture.store.unregisterConsumer(temporary)
        #expect(try await fixture.store.removeConsumer(durable.consumer, of: fixture.subscription))
        for user in [durable, temporary] {
            _ = try await fixture.register(user.consumer.rawValue)
            #expect(try await fixture.store.unreadCount(of: user.consumer, in: fixture.subscription) == 0)
        }
    }

    @Test("The oldest unread events are found first, whatever happened in between", arguments: UInt64(1)...30)
    func overdue(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var book = ReceiptBook()
        let users = try (0..<6).map { try ConsumerID("user-\($0)") }
        var first: Int64 = 0
        for step in 0..<200 {
            // Wall clocks go back now and then.
            let time = Timestamp(nanosecondsSinceEpoch: Int64(step + Int.random(in: -20...20, using: &random)))
            let user = users[Int.random(in: 0..<users.count, using: &random)]
            let low = Int64.random(in: first..<first + 30, using: &random)
            let range = OffsetRanges(low..<low + Int64.random(in: 1...5, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5: book.markDelivered(range, to: user, at: time, keepingFrom: first)
            case 5: book.apply(ReceiptChange(user, .forget), at: time, keepingFrom: first)
            case 6: first += 1
            case 7: _ = try book.modify(user) { $0.markUnreadAsRead(before: low, at: time, keepingFrom: first) }
            default:
                let limit = Int.random(in: 1...40, using: &random)
                let expected = Self.overdue(of: users, in: book, since: time, first).prefix(limit)
                let found = book.overdue(since: time, keepingFrom: first, limit: limit)
                let events = found.flatMap { overdue in overdue.run.offsets.map { (overdue.consumer, $0) } }
                #expect(events.map(\.1) == expected.map(\.2), "seed \(seed) step \(step)")
                #expect(events.map(\.0) == expected.map(\.1), "seed \(seed) step \(step)")
            }
        }
    }

    private static func overdue(
        of users: [ConsumerID],
        in book: ReceiptBook,
        since time: Timestamp,
        _ first: Int64
    ) -> [(Timestamp, ConsumerID, Int64)] {
        let all = users.flatMap { user in
            book[user].runs.filter { $0.status == .delivered && $0.deliveredAt <= time }.flatMap { run in
                run.offsets.filter { $0 >= first }.map { (run.deliveredAt, user, $0) }
            }
        }
        return all.sorted { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }
    }
}
