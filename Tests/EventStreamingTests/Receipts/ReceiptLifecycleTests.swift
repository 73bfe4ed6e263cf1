import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Read receipts: from delivered to read", .timeLimit(.minutes(5)))
struct ReceiptLifecycleTests {
    private let clock = ManualClock()

    @Test("what a loop was shown is delivered and unread when it asks for the next, until it is marked")
    func loop() async throws {
        let streaming = try makeNotes(clock: clock)
        try await streaming.place(1...4)
        let (clock, seen) = (clock, Tally())
        for try await delivery in try streaming.subscribe(to: "notes", as: "admin-123") {
            let isRead = seen.add(1).isMultiple(of: 2)
            clock.advance(by: .seconds(1))
            if isRead { try await delivery.markAsRead() }
            let receipt = try await streaming.receipt(delivery.record.id, of: "admin-123")
            #expect(receipt?.status == (isRead ? .read : nil))
            #expect(receipt?.readAt == (isRead ? clock.now : nil))
            if delivery.number == 4 { break }
        }
        #expect(try await streaming.unreadNumbers(of: "admin-123") == [1, 3])
        #expect(try await streaming.position(of: "notes", "admin-123")?.isFinished == true)
        let receipt = try await streaming.receipt(try await streaming.ids()[0], of: "admin-123")
        #expect(receipt?.status == .delivered)
        #expect(receipt?.deliveries == 1)
    }

    @Test("a delivery can be marked whenever it was acknowledged, and twice", arguments: 0..<5)
    func acknowledgedBefore(_ place: Int) async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...5)
        var iterator = try streaming.subscribe(to: "notes", as: "ada").makeAsyncIterator()
        var deliveries: [Delivery] = []
        for _ in 1...5 {
            guard let delivery = try await iterator.next() else { break }
            deliveries.append(delivery)
            // Acknowledged by itself, or by the loop that asks for the next: then the store need not know it yet.
            if delivery.number == 2 { try await delivery.acknowledge() }
        }
        for _ in 1...2 {
            try await deliveries[place].markAsRead()
            #expect(try await streaming.receipt(deliveries[place].record.id, of: "ada")?.status == .read)
        }
        for delivery in deliveries {
            try await delivery.markAsRead()
        }
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
        #expect(try await streaming.position(of: "notes", "ada")?.isFinished == true)
    }

    @Test("a delivery can be marked after its loop has ended, and after another loop began")
    func afterTheLoop() async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...3)
        var deliveries: [Delivery] = []
        for try await delivery in try streaming.subscribe(to: "notes", as: "ada") {
            deliveries.append(delivery)
            if delivery.number == 2 {
                try await delivery.acknowledge()
                break
            }
        }
        try await deliveries[0].markAsRead()
        #expect(try await streaming.show(1, to: "ada") == [Seen(3)])
        try await deliveries[1].markAsRead()
        #expect(try await streaming.unreadNumbers(of: "ada") == [3])
    }

    @Test("marking tells the store in the call that acknowledges")
    func oneChange() async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
        let streaming = try makeNotes(storage: .shared(store), clock: clock)
        try await streaming.place(1...2)
        try await streaming.withSubscription(to: "notes", as: "ada") { subscription in
            for try await delivery in subscription {
                try await delivery.markAsRead()
                if delivery.number == 2 { break }
            }
        }
        #expect(store.callCount(of: .markRead) == 0)
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
    }

    // MARK: - Batches

    @Test("a batch is read in one change, before or after it was acknowledged", arguments: [false, true])
    func batch(isAcknowledged: Bool) async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...8)
        for try await batch in try streaming.subscribe(to: "notes", as: "ada").batches {
            if isAcknowledged { try await batch.acknowledge() }
            try await batch.markAsRead()
            try await batch.markAsRead()
            #expect(batch.count == 8)
            break
        }
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
        #expect(try await streaming.position(of: "notes", "ada")?.isFinished == true)
    }

    @Test("what was settled by itself is left as it is when its batch is marked", arguments: [false, true])
    func batchWithExceptions(isLater: Bool) async throws {
        let streaming = try makeNotes(clock: clock) { $0.retry.initialDelay = .seconds(3600) }
        try await streaming.place(1...6)
        var iterator = try streaming.subscribe(to: "notes", as: "ada").batches.makeAsyncIterator()
        let batch = try #require(try await iterator.next())
        try await batch[1].acknowledge()
        try await batch[2].reject(reason: "later")
        try await batch[3].reject(.deadLetter, reason: "never")
        if isLater {
            try await batch.acknowledge()
            try await streaming.place([7])
            _ = try await iterator.next()
            try await batch.markAsRead()
            #expect(try await streaming.unreadNumbers(of: "ada") == [])
        } else {
            try await batch.markAsRead()
            #expect(try await streaming.unreadNumbers(of: "ada") == [2])
        }
        let ids = try await streaming.ids()
        for (index, status) in [(0, ReadReceipt.Status.read), (2, nil), (3, nil), (5, .read)] {
            #expect(try await streaming.receipt(ids[index], of: "ada")?.status == status)
        }
        #expect(try await streaming.deadLetters(of: "notes").count == 1)
    }

    // MARK: - Without a loop

    @Test("users are asked about, and mark what they have read, without a loop")
    func byHand() async throws {
        let streaming = try makeNotes(clock: clock)
        try await streaming.place(1...10)
        #expect(try await streaming.show(10, to: "ada") == (1...10).seen)
        #expect(try await streaming.show(4, to: "bob") == (1...4).seen)
        let ids = try await streaming.ids()
        #expect(try await streaming.markAsRead(ids[2], of: "notes", by: "ada"))
        #expect(try await !streaming.markAsRead(ids[2], of: "notes", by: "ada"))
        #expect(try await streaming.markAsRead([ids[0], ids[2], ids[4]], of: "notes", by: "ada") == 2)
        #expect(try await streaming.unreadNumbers(of: "ada") == [2, 4, 6, 7, 8, 9, 10])
        #expect(try await streaming.unreadNumbers(of: "bob") == [1, 2, 3, 4])
        #expect(try await streaming.markAllAsRead(of: "notes", by: "ada", before: StreamOffset(7)) == 4)
        #expect(try await streaming.unreadNumbers(of: "ada") == [8, 9, 10])
        #expect(try await streaming.markAllAsRead(of: "notes", by: "ada") == 3)
        #expect(try await streaming.markAllAsRead(of: "notes", by: "ada") == 0)
        let readers = try await streaming.receipts(for: ids[0], in: "notes")
        #expect(readers.map(\.consumer.rawValue) == ["ada", "bob"])
        #expect(readers.map(\.status) == [.read, .delivered])
        #expect(
            try await streaming.receipts(for: ids[0], in: "notes", after: "ada").map(\.consumer.rawValue) == ["bob"])
        #expect(try await streaming.receipts(for: ids[0], in: "notes", limit: 1).map(\.consumer.rawValue) == ["ada"])
        #expect(try await streaming.receipts(for: ids[9], in: "notes").map(\.consumer.rawValue) == ["ada"])
    }

    @Test("what a loop has asked behind is delivered for whoever asks, though the store was not told yet")
    func whileTheLoopWorks() async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...10)
        let ids = try await streaming.ids()
        var iterator = try streaming.subscribe(to: "notes", as: "ada").makeAsyncIterator()
        for _ in 1...4 { _ = try await iterator.next() }
        #expect(try await streaming.unreadNumbers(of: "ada") == [1, 2, 3])
        #expect(try await streaming.markAsRead(ids[1], of: "notes", by: "ada"))
        #expect(await errorCode { try await streaming.markAsRead(ids[3], of: "notes", by: "ada") } == .notDelivered)
        _ = try await iterator.next()
        #expect(try await streaming.markAllAsRead(of: "notes", by: "ada") == 3)
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
    }

    @Test("unread events come with what they are, in pages, also across gaps")
    func unread() async throws {
        let streaming = try makeNotes(clock: clock)
        try await streaming.place(1...300)
        let shown = clock.now
        _ = try await streaming.show(300, to: "ada")
        let ids = try await streaming.ids()
        let read = ids.indices.filter { $0 % 3 == 0 || (100..<180).contains($0) }
        try await streaming.markAsRead(read.map { ids[$0] }, of: "notes", by: "ada")
        let expected = ids.indices.filter { !read.contains($0) }
        var (paged, next) = ([UnreadEvent](), StreamOffset.zero)
        while let last = try await page(from: next, into: &paged, of: streaming) {
            next = last.offset.advanced(by: 1)
        }
        #expect(paged.map(\.number) == expected.map { $0 + 1 })
        #expect(paged.map(\.id) == expected.map { ids[$0] })
        #expect(paged.allSatisfy { $0.deliveredAt == shown && $0.deliveries == 1 && !$0.isRequeued })
        #expect(try paged[0].event is OrderPlaced)
    }

    private func page(
        from offset: StreamOffset,
        into events: inout [UnreadEvent],
        of streaming: EventStreaming
    ) async throws -> UnreadEvent? {
        let page = try await streaming.unread(of: "notes", for: "ada", from: offset, limit: 17)
        #expect(page.count <= 17)
        events += page
        return page.last
    }

    @Test("an unread event that cannot be decoded does not hide the others")
    func undecodable() async throws {
        let store = EncodingStore(clock: clock)
        let streaming = try makeNotes(storage: .shared(store), clock: clock)
        try await streaming.place(1...2)
        try await streaming.emitter.emit(OrderShipped(number: 3))
        _ = try await streaming.show(3, to: "ada")
        // Another process, which does not know the second type.
        let other = try makeNotes(storage: .shared(store), clock: clock)
        let unread = try await other.unread(of: "notes", for: "ada")
        #expect(unread.map(\.number) == [1, 2, -1])
        #expect(await errorCode { _ = try unread[2].event } == .unknownEventType)
    }

    // MARK: - Others

    @Test("a handler receives for a user")
    func handler() async throws {
        let streaming = try makeNotes(notes: { subscription in
            subscription.consumer = "robot"
            subscription.maximumConcurrency = 4
            subscription.handle { delivery in
                if delivery.number % 2 == 0 { try await delivery.markAsRead() }
            }
        })
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...20)
            try await streaming.settled("notes")
            #expect(try await streaming.unreadNumbers(of: "robot") == Array(stride(from: 1, to: 20, by: 2)))
        }
    }

    @Test("a loop without a name is a user for as long as it lasts")
    func temporary() async throws {
        let streaming = try makeNotes()
        try await streaming.place(1...3)
        let user = try await streaming.withSubscription(to: "notes") { subscription in
            var user = ""
            for try await delivery in subscription {
                user = delivery.consumerID.rawValue
                if delivery.number == 2 { try await delivery.markAsRead() }
                if delivery.number == 3 {
                    #expect(try await streaming.unreadNumbers(of: user) == [1])
                    break
                }
            }
            return user
        }
        #expect(await errorCode { _ = try await streaming.unreadCount(of: "notes", for: user) } == .unknownConsumer)
        #expect(try await streaming.receipts(for: try await streaming.ids()[0], in: "notes").isEmpty)
    }

    @Test("many users read at the same time, through two services")
    func manyUsers() async throws {
        let store = InMemoryEventStreamStore()
        let services = [try makeNotes(storage: .shared(store)), try makeNotes(storage: .shared(store))]
        try await services[0].place(0..<60)
        let ids = try await services[0].ids()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                let (mine, other) = (services[number % 2], services[(number + 1) % 2])
                group.addTask {
                    let user = "user-\(number)"
                    #expect(try await mine.show(60, to: user).count == 60)
                    let marked = try await withThrowingTaskGroup(of: Int.self) { marks in
                        for service in [mine, other] {
                            marks.addTask {
                                var count = 0
                                for id in ids where try await service.markAsRead(id, of: "notes", by: user) {
                                    count += 1
                                }
                                return count
                            }
                        }
                        return try await marks.reduce(0, +)
                    }
                    #expect(marked == 60)
                    #expect(try await other.unreadCount(of: "notes", for: user) == 0)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await services[1].receipts(for: ids[59], in: "notes").filter { $0.status == .read }.count == 20)
    }
}
