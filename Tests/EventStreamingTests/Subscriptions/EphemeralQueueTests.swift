import EventStreaming
import Testing

@Suite("An ephemeral stream is a queue", .timeLimit(.minutes(5)))
struct EphemeralQueueTests {
    @Test("events are kept until they are finished, and are gone then")
    func goneAfterConsumption() async throws {
        let streaming = try makeOrders(.ephemeral, mail: { $0.mode = .exclusive })
        try await streaming.place(1...10)
        #expect(try await streaming.metadata(of: "order-events").count == 10)
        #expect(try await streaming.take(4, as: "a") == (1...4).seen)
        await streaming.releaseAbandoned()
        #expect(try await streaming.metadata(of: "order-events").count == 6)
        #expect(try await streaming.take(6, as: "a") == (5...10).seen)
        let end = try await streaming.metadata(of: "order-events")
        #expect(end.count == 0)
        #expect(end.head == StreamOffset(10))
        #expect(end.dropped == 0)
    }

    @Test("an event that waits for its next attempt is kept")
    func keptForRetry() async throws {
        let streaming = try makeOrders(.ephemeral, mail: { $0.mode = .exclusive })
        try await streaming.place(1...2)
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            if delivery.number == 1 {
                try await delivery.reject(.retry(after: .seconds(3600)))
            } else {
                try await delivery.acknowledge()
                break
            }
        }
        #expect(try await streaming.metadata(of: "order-events").count == 2)
        #expect(try await streaming.position()?.waiting == 1)
    }

    @Test("an event is kept until the slowest of the consumers has finished it")
    func keptForAll() async throws {
        let streaming = try makeOrders(.ephemeral)
        try await streaming.withSubscription(to: "mail", as: "fast") { fast in
            try await streaming.withSubscription(to: "mail", as: "slow") { slow in
                try await streaming.place(1...5)
                #expect(try await fast.take(5) == (1...5).seen)
                #expect(try await streaming.metadata(of: "order-events").count == 5)
                #expect(try await slow.take(5) == (1...5).seen)
                #expect(try await streaming.metadata(of: "order-events").count == 0)
            }
        }
    }

    @Test("what no subscription waits for is dropped and counted")
    func dropped() async throws {
        let streaming = try EventStreaming { $0.addStream(OrderWorkflow.self) }
        try await streaming.place(1...7)
        let metadata = try await streaming.metadata(of: "order-events")
        #expect(metadata.count == 0)
        #expect(metadata.dropped == 7)
        #expect(try await streaming.read("order-events", from: StreamOffset(7)).isEmpty)
    }

    @Test("a removed consumer keeps nothing any more")
    func removedConsumer() async throws {
        let streaming = try makeOrders(.ephemeral)
        try await streaming.withSubscription(to: "mail", as: "gone") { _ in }
        try await streaming.place(1...3)
        #expect(try await streaming.metadata(of: "order-events").count == 3)
        #expect(try await streaming.removeConsumer("gone", of: "mail"))
        #expect(try await streaming.metadata(of: "order-events").count == 0)
        #expect(try await !streaming.removeConsumer("gone", of: "mail"))
    }

    @Test("what is emitted before the service runs waits for a broadcast handler")
    func beforeRun() async throws {
        let journal = Journal<Int>()
        let streaming = try makeOrders(
            .ephemeral,
            mail: { subscription in subscription.handle { journal.add($0.number) } }
        )
        try await streaming.place(1...3)
        #expect(try await streaming.metadata(of: "order-events").dropped == 0)
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(4...5)
            #expect(try await journal.wait(for: 5) == Array(1...5))
        }
    }

    @Test("the events of a handler that has a name of its own wait for it, too")
    func beforeRunUnderAName() async throws {
        let journal = Journal<Int>()
        let streaming = try makeOrders(
            .ephemeral,
            mail: { subscription in
                subscription.consumer = "node-1"
                subscription.handle { journal.add($0.number) }
            }
        )
        try await streaming.place(1...3)
        try await withEventStreaming(streaming) { _ in
            let handled = try await journal.wait(for: 3)
            #expect(handled == [1, 2, 3])
        }
    }
}
