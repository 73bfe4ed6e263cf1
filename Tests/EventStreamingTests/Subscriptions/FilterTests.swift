import EventStreaming
import EventStreamingTesting
import Testing

@Suite("Filters, typed handlers and start positions", .timeLimit(.minutes(5)))
struct FilterTests {
    private func emitMixed(_ streaming: EventStreaming) async throws {
        for number in 1...10 {
            try await streaming.emitter.emit(OrderPlaced(number: number))
            try await streaming.emitter.emit(OrderShipped(number: number))
        }
    }

    @Test("only the types included are delivered, and the position passes over the others")
    func includedTypes() async throws {
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.include(OrderShipped.self)
            }
        )
        try await emitMixed(streaming)
        var events: [any Event] = []
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            events.append(delivery.event)
            #expect(delivery.event(as: OrderPlaced.self) == nil)
            if events.count == 10 {
                try await delivery.acknowledge()
                break
            }
        }
        #expect(events as? [OrderShipped] == (1...10).map { OrderShipped(number: $0) })
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("an ephemeral stream does not keep what the filters pass over")
    func passedOverIsDropped() async throws {
        let journal = Journal<Int>()
        let streaming = try makeOrders(
            .ephemeral,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.handle(OrderShipped.self) { event, _ in journal.add(event.number) }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...5)
            try await streaming.emitter.emit(OrderShipped(number: 6))
            try await streaming.place(7...9)
            #expect(try await journal.wait(for: 1) == [6])
            try await streaming.settled("mail")
            #expect(try await streaming.metadata(of: "order-events").count == 0)
        }
    }

    @Test("typed handlers get the events of their types, in the order of the stream")
    func typedHandlers() async throws {
        let journal = Journal<String>()
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.handle(OrderPlaced.self) { event, _ in journal.add("placed \(event.number)") }
                subscription.handle(OrderShipped.self) { event, delivery in
                    journal.add("shipped \(event.number) at \(delivery.record.offset)")
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.emitter.emit(OrderPlaced(number: 1))
            try await streaming.emitter.emit(OrderShipped(number: 1))
            try await streaming.emitter.emit(OrderPlaced(number: 2))
            #expect(try await journal.wait(for: 3) == ["placed 1", "shipped 1 at 1", "placed 2"])
        }
    }

    @Test("one typed handler gets nothing else, and nothing waits for it")
    func oneTypedHandler() async throws {
        let journal = Journal<Int>()
        let streaming = try makeOrders(
            mail: { $0.handle(OrderPlaced.self) { event, _ in journal.add(event.number) } }
        )
        try await withEventStreaming(streaming) { streaming in
            try await emitMixed(streaming)
            try await streaming.settled("mail")
            #expect(journal.entries == Array(1...10))
        }
    }

    @Test("an untyped handler replaces typed ones and gets everything")
    func untypedReplaces() async throws {
        let journal = Journal<Int>()
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.handle(OrderPlaced.self) { _, _ in Issue.record("replaced") }
                subscription.handle { journal.add($0.number) }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await emitMixed(streaming)
            #expect(try await journal.wait(for: 20).count == 20)
        }
    }

    @Test(
        "a new position begins where the subscription says",
        arguments: [
            (StartPosition.beginning, [1, 2, 3, 4, 5]),
            (.latest, [5]),
            (.offset(StreamOffset(2)), [3, 4, 5]),
            (.offset(StreamOffset(99)), [5]),
        ]
    )
    func startPositions(_ start: StartPosition, _ expected: [Int]) async throws {
        let streaming = try makeOrders(mail: { $0.start = start })
        try await streaming.place(1...4)
        try await streaming.withSubscription(to: "mail", as: "a") { subscription in
            try await streaming.place([5])
            #expect(try await subscription.take(expected.count) == expected.seen)
        }
    }

    @Test("a position may begin at a time")
    func startTime() async throws {
        let clock = ManualClock()
        let streaming = try makeOrders(clock: clock)
        try await streaming.place(1...2)
        clock.advance(by: .seconds(60))
        let time = clock.now
        try await streaming.place(3...4)
        let subscription = try streaming.subscribe(to: "mail", from: .timestamp(time))
        #expect(try await subscription.take(2) == (3...4).seen)
    }

    @Test("where a loop says to begin does not move a position that exists")
    func startDoesNotMove() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...4)
        #expect(try await streaming.take(1, as: "a") == [Seen(1)])
        await streaming.releaseAbandoned()
        let again = try streaming.subscribe(to: "mail", as: "a", from: .latest)
        #expect(try await again.take(1) == [Seen(2)])
    }
}
