import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Read receipts: what cannot be marked", .timeLimit(.minutes(5)))
struct ReceiptBadInputTests {
    private let clock = ManualClock()

    /// Every call of a service about receipts, by a subscription and a user.
    private static func calls(
        _ streaming: EventStreaming,
        _ event: MessageID
    ) -> [(name: String, call: (String, String) async throws -> Void)] {
        [
            ("markAsRead", { _ = try await streaming.markAsRead(event, of: $0, by: $1) }),
            ("markAsRead of several", { _ = try await streaming.markAsRead([event], of: $0, by: $1) }),
            ("markAllAsRead", { _ = try await streaming.markAllAsRead(of: $0, by: $1) }),
            ("unreadCount", { _ = try await streaming.unreadCount(of: $0, for: $1) }),
            ("unread", { _ = try await streaming.unread(of: $0, for: $1) }),
            ("receipts", { _ = try await streaming.receipts(for: event, in: $0, after: $1) }),
        ]
    }

    @Test("bad names, unknown subscriptions and users, and other modes")
    func names() async throws {
        let streaming = try makeNotes(also: { streaming in
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        })
        try await streaming.place(1...2)
        let event = try await streaming.ids()[0]
        for (name, call) in Self.calls(streaming, event) {
            #expect(await errorCode { try await call("no tes", "ada") } == .invalidName, "\(name)")
            #expect(await errorCode { try await call("notes", "a da") } == .invalidName, "\(name)")
            #expect(await errorCode { try await call("nothing", "ada") } == .unknownSubscription, "\(name)")
            #expect(await errorCode { try await call("mail", "ada") } == .unsupported, "\(name)")
            let isAboutUser = name != "receipts"
            #expect(
                await errorCode { try await call("notes", "ada") } == (isAboutUser ? .unknownConsumer : nil), "\(name)")
        }
    }

    @Test("a delivery or a batch in another mode cannot be marked, and stays open")
    func otherModes() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...2)
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            #expect(await errorCode { try await delivery.markAsRead() } == .unsupported)
            try await delivery.acknowledge()
            break
        }
        for try await batch in try streaming.subscribe(to: "mail", as: "b").batches {
            #expect(await errorCode { try await batch.markAsRead() } == .unsupported)
            try await batch.acknowledge()
            break
        }
    }

    @Test("a filter of a transport's consumer, which would make receipts of what it passes over")
    func filteredConsumer() async throws {
        let streaming = try makeNotes()
        var request = ConsumerRequest(subscription: try SubscriptionID("notes"), consumer: try ConsumerID("ada"))
        request.eventTypes = ["OrderPlaced"]
        #expect(await errorCode { _ = try await streaming.deliveryProvider.connect(request) {} } == .unsupported)
        request.eventTypes = nil
        try await streaming.place(1...2)
        let consumer = try await streaming.deliveryProvider.connect(request) {}
        guard case .lease(let lease) = try await consumer.dequeue(limit: 10, settling: nil) else {
            Issue.record("There was nothing.")
            return
        }
        var settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
        settlement.read = [lease.offsets.lowerBound..<lease.offsets.lowerBound.advanced(by: 1)]
        try await consumer.settle(settlement)
        #expect(try await streaming.unreadNumbers(of: "ada") == [2])
        #expect(try await consumer.markRead(.unread(before: nil)) == 1)
        await consumer.close()
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
    }

    @Test("limits", arguments: [Int.min, -1, 0, 10_001, .max])
    func limits(_ limit: Int) async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...1)
        _ = try await streaming.show(1, to: "ada")
        let event = try await streaming.ids()[0]
        #expect(
            await errorCode { _ = try await streaming.unread(of: "notes", for: "ada", limit: limit) }
                == .invalidArgument)
        #expect(
            await errorCode {
                _ = try await streaming.receipts(for: event, in: "notes", limit: limit)
            } == .invalidArgument
        )
    }

    @Test("too many ids at once")
    func manyIDs() async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...1)
        _ = try await streaming.show(1, to: "ada")
        let ids = Array(repeating: try await streaming.ids()[0], count: 10_001)
        #expect(
            await errorCode { _ = try await streaming.markAsRead(ids, of: "notes", by: "ada") } == .invalidArgument)
        #expect(try await streaming.markAsRead(Array(ids.dropLast()), of: "notes", by: "ada") == 1)
        #expect(try await streaming.markAsRead([], of: "notes", by: "ada") == 0)
    }

    @Test("what was never delivered, or to somebody else, or is unknown; and nothing is changed then")
    func notDelivered() async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...4)
        _ = try await streaming.show(2, to: "ada")
        _ = try await streaming.show(4, to: "bob")
        let ids = try await streaming.ids()
        for events in [[ids[2]], [ids[0], ids[3]], [MessageID(high: 1, low: 2)]] {
            let code = await errorCode { _ = try await streaming.markAsRead(events, of: "notes", by: "ada") }
            #expect(code == .notDelivered)
        }
        #expect(try await streaming.unreadNumbers(of: "ada") == [1, 2])
        #expect(try await streaming.unreadNumbers(of: "bob") == [1, 2, 3, 4])
        let unknown = await errorCode {
            _ = try await streaming.receipts(for: MessageID(high: 1, low: 2), in: "notes")
        }
        #expect(unknown == .unknownEvent)
    }

    @Test("a delivery that was rejected, or given back")
    func rejected() async throws {
        let streaming = try makeNotes { $0.retry.initialDelay = .zero }
        try await streaming.place(1...3)
        var held: [Delivery] = []
        for try await delivery in try streaming.subscribe(to: "notes", as: "ada") {
            held.append(delivery)
            if delivery.number == 1, delivery.attempt == 1 {
                try await delivery.reject(.retry(after: .seconds(3600)))
                #expect(await errorCode { try await delivery.markAsRead() } == .notDelivered)
            }
            if delivery.number == 2 { break }
        }
        // Left with `break`: it comes again, as a second attempt.
        #expect(await errorCode { try await held[1].markAsRead() } == .notDelivered)
        #expect(try await streaming.show(2, to: "ada") == [Seen(2, attempt: 2), Seen(3)])
        try await held[1].markAsRead()
        #expect(try await streaming.unreadNumbers(of: "ada") == [3])
    }

    @Test("a delivery that was taken back because it was in hand for too long")
    func takenBack() async throws {
        let clock = clock
        let streaming = try makeNotes(clock: clock) { subscription in
            subscription.visibilityTimeout = .seconds(30)
        }
        try await streaming.place(1...2)
        try await withRunning(streaming) {
            var iterator = try streaming.subscribe(to: "notes", as: "ada").makeAsyncIterator()
            let delivery = try #require(try await iterator.next())
            for _ in 0..<10 {
                try await inTime { try await clock.waitForSleepers(2) }
                clock.advance(by: .seconds(5))
            }
            try await inTime { try await clock.waitForSleepers(2) }
            #expect(await errorCode { try await delivery.markAsRead() } == .leaseExpired)
            let again = try #require(try await iterator.next())
            #expect(Seen(again) == Seen(2) || Seen(again) == Seen(1, attempt: 2))
        }
        #expect(try await streaming.unreadCount(of: "notes", for: "ada") <= 1)
    }

    @Test("a delivery to a consumer that was replaced; what it acknowledged before can be marked")
    func replaced() async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...3)
        var iterator = try streaming.subscribe(to: "notes", as: "ada").makeAsyncIterator()
        let first = try #require(try await iterator.next())
        try await first.acknowledge()
        let second = try #require(try await iterator.next())
        #expect(try await streaming.show(1, to: "ada") == [Seen(2, attempt: 2)])
        #expect(await errorCode { try await second.markAsRead() } == .consumerReplaced)
        try await first.markAsRead()
        try await second.markAsRead()
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
    }

    @Test("what expired, and a user who was removed")
    func expired() async throws {
        let clock = clock
        let streaming = try makeNotes(clock: clock) { subscription in
            subscription.onUnreadTimeout = .seconds(60)
            subscription.onUnreadExpired = .drop
        }
        try await streaming.place(1...2)
        _ = try await streaming.show(2, to: "ada")
        let ids = try await streaming.ids()
        try await streaming.markAsRead(ids[1], of: "notes", by: "ada")
        clock.advance(by: .seconds(61))
        try await withRunning(streaming) {
            try await streaming.wait { try await $0.unreadCount(of: "notes", for: "ada") == 0 }
        }
        #expect(
            await errorCode { try await streaming.markAsRead(ids[0], of: "notes", by: "ada") } == .receiptExpired)
        #expect(try await !streaming.markAsRead(ids[1], of: "notes", by: "ada"))
        #expect(try await streaming.removeConsumer("ada", of: "notes"))
        #expect(
            await errorCode { try await streaming.markAsRead(ids[1], of: "notes", by: "ada") } == .unknownConsumer)
    }

    @Test("after the shutdown a delivery cannot be marked, and by its id it can")
    func shutDown() async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...2)
        let deliveries = Journal<Delivery>()
        try await withEventStreaming(streaming) { streaming in
            for try await delivery in try streaming.subscribe(to: "notes", as: "ada") {
                deliveries.add(delivery)
                try await delivery.acknowledge()
                break
            }
        }
        let seen = try #require(deliveries.entries.first)
        #expect(await errorCode { try await seen.markAsRead() } == .shutDown)
        #expect(try await streaming.markAsRead(seen.record.id, of: "notes", by: "ada"))
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
    }
}
