import EventStreaming
import EventStreamingTesting
import Testing

@Suite("Queues, broadcast and competing consumers", .timeLimit(.minutes(5)))
struct QueueAcceptanceTests {
    private func makeService(
        _ mode: SubscriptionMode,
        type: StreamType = .ephemeral,
        clock: ManualClock = ManualClock(),
        _ configure: (inout SubscriptionConfiguration) -> Void = { _ in }
    ) throws -> EventStreaming {
        try EventStreaming { streaming in
            streaming.options.clock = clock
            streaming.addStream(OrderWorkflow.self) { $0.type = type }
            streaming.addSubscription("orders") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = mode
                configure(&subscription)
            }
        }
    }

    private func orders(_ numbers: ClosedRange<Int>) -> [OrderPlaced] { numbers.map { OrderPlaced(number: $0) } }

    private func number(_ delivery: Delivery) -> Int? { delivery.event(as: OrderPlaced.self)?.number }

    @Test func aQueueKeepsEventsUntilTheyAreConsumedAndNotLonger() async throws {
        let streaming = try makeService(.exclusive)
        try await streaming.emitter.emit(orders(1...10))
        #expect(try await streaming.metadata(of: "order-events").count == 10)
        var seen: [Int?] = []
        for try await delivery in try streaming.subscribe(to: "orders", as: "one") {
            seen.append(number(delivery))
            if seen.count == 10 {
                try await delivery.acknowledge()
                break
            }
        }
        #expect(seen == Array(1...10))
        #expect(try await streaming.metadata(of: "order-events").count == 0)
        #expect(try await streaming.metadata(of: "order-events").head == StreamOffset(10))
        #expect(try await streaming.progress(of: "orders").map(\.isFinished) == [true])
    }

    @Test func anEventThatNobodySubscribedToIsDroppedAndCounted() async throws {
        let streaming = try makeService(.broadcast)
        try await streaming.emitter.emit(orders(1...3))
        let metadata = try await streaming.metadata(of: "order-events")
        #expect(metadata.count == 0)
        #expect(metadata.dropped == 3)
    }

    @Test func everyBroadcastConsumerGetsEverythingInOrder() async throws {
        let streaming = try makeService(.broadcast)
        try await streaming.withSubscription(to: "orders", as: "a") { first in
            try await streaming.withSubscription(to: "orders") { second in
                try await streaming.emitter.emit(orders(1...500))
                for subscription in [first, second] {
                    var next = 1
                    for try await delivery in subscription {
                        #expect(number(delivery) == next)
                        next += 1
                        if next > 500 { break }
                    }
                }
            }
        }
    }

    @Test func aDurableBroadcastConsumerGoesOnWhereItEnded() async throws {
        let streaming = try makeService(.broadcast, type: .persistent)
        try await streaming.emitter.emit(orders(1...6))
        for range in [1...3, 4...6] {
            var seen: [Int?] = []
            for try await delivery in try streaming.subscribe(to: "orders", as: "reader") {
                seen.append(number(delivery))
                try await delivery.acknowledge()
                if seen.count == 3 { break }
            }
            #expect(seen == Array(range))
        }
    }

    @Test func competingConsumersGetEachEventOnce() async throws {
        let streaming = try makeService(.exclusive)
        let total = 2000
        let counts = try await withEventStreaming(streaming) { streaming in
            try await withThrowingTaskGroup(of: [Int].self) { group in
                let remaining = Countdown(total)
                for consumer in 1...3 {
                    // Subscribed before there are events: one that comes when all are delivered is refused.
                    let deliveries = try streaming.subscribe(to: "orders", as: "consumer-\(consumer)")
                    group.addTask {
                        var seen: [Int] = []
                        for try await delivery in deliveries {
                            seen.append(delivery.event(as: OrderPlaced.self)?.number ?? -1)
                            try await delivery.acknowledge()
                            if remaining.countDown() { streaming.beginShutdown() }
                        }
                        return seen
                    }
                }
                for begin in stride(from: 1, through: total, by: 50) {
                    try await streaming.emitter.emit(orders(begin...begin + 49))
                }
                return try await group.reduce(into: [[Int]]()) { $0.append($1) }
            }
        }
        #expect(counts.flatMap { $0 }.sorted() == Array(1...total))
        #expect(counts.allSatisfy { $0 == $0.sorted() })
    }

    @Test func breakingOutReleasesAtOnceToAnotherConsumer() async throws {
        let streaming = try makeService(.exclusive)
        try await streaming.emitter.emit(orders(1...5))
        for try await delivery in try streaming.subscribe(to: "orders", as: "one") {
            #expect(number(delivery) == 1)
            break
        }
        var seen: [Int] = []
        for try await delivery in try streaming.subscribe(to: "orders", as: "two") {
            seen.append(number(delivery) ?? -1)
            if seen.count == 5 {
                try await delivery.acknowledge()
                break
            }
        }
        #expect(seen.sorted() == [1, 2, 3, 4, 5])
    }

    @Test func aFilterPassesOverOtherTypes() async throws {
        let streaming = try makeService(.exclusive) { $0.include(OrderShipped.self) }
        try await streaming.emitter.emit(orders(1...100))
        try await streaming.emitter.emit(OrderShipped(number: 7))
        for try await delivery in try streaming.subscribe(to: "orders", as: "one") {
            #expect(delivery.event(as: OrderShipped.self) == OrderShipped(number: 7))
            try await delivery.acknowledge()
            break
        }
        #expect(try await streaming.metadata(of: "order-events").count == 0)
    }

    @Test func batchesCarryTheSameEvents() async throws {
        let streaming = try makeService(.exclusive) { $0.prefetch = 32 }
        try await streaming.emitter.emit(orders(1...200))
        var seen: [Int] = []
        for try await batch in try streaming.subscribe(to: "orders", as: "one").batches {
            #expect(!batch.isEmpty && batch.count <= 32)
            seen += batch.compactMap { number($0) }
            if seen.count == 200 {
                try await batch.acknowledge()
                break
            }
        }
        #expect(seen == Array(1...200))
        #expect(try await streaming.progress(of: "orders").map(\.isFinished) == [true])
    }
}
