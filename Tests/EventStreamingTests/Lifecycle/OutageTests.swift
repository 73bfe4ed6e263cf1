import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("A store that cannot be reached for a while", .timeLimit(.minutes(5)))
struct OutageTests {
    private static let unavailable = EventStreamingError(.storeUnavailable, "not now")
    private let clock = ManualClock()
    private let store: FaultInjectingStore

    init() {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
    }

    /// Lets time pass, in steps, until `isReached`.
    private func pass(
        _ streaming: EventStreaming,
        until isReached: @escaping @Sendable (EventStreaming) async throws -> Bool
    ) async throws {
        try await streaming.pass(clock, until: isReached)
    }

    @Test(
        "handlers go on afterwards, and nothing is lost",
        arguments: [
            FaultInjectingStore.Operation.dequeue, .settle, .registerConsumer, .heartbeat, .unregisterConsumer,
        ],
        [SubscriptionMode.broadcast, .exclusive]
    )
    func handlersGoOn(_ operation: FaultInjectingStore.Operation, _ mode: SubscriptionMode) async throws {
        let handled = Journal<Int>()
        let store = store
        let streaming = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.mode = mode
                subscription.retry.maximumAttempts = 100
                subscription.maximumConcurrency = 3
                subscription.prefetch = 10
                subscription.handle { handled.add($0.number) }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            for round in 0..<5 {
                store.fail(operation, with: Self.unavailable, on: .nextCalls(3))
                try await streaming.place(round * 20..<round * 20 + 20)
                try await pass(streaming) { streaming in
                    try await streaming.position()?.isFinished == true
                }
                store.heal()
            }
            #expect(try await streaming.deadLetters(of: "mail").isEmpty)
        }
        #expect(Set(handled.entries) == Set(0..<100))
    }

    @Test("a lease whose answer was lost runs out, though the consumer lives on")
    func lostLease() async throws {
        let seen = Journal<Seen>()
        let store = store
        let streaming = try makeOrders(storage: .shared(store), clock: clock, mail: { $0.mode = .exclusive })
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...3)
            store.fail(.dequeue, with: Self.unavailable, on: .nextCalls(1), effect: .after)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var deliveries = try streaming.subscribe(to: "mail", as: "a").makeAsyncIterator()
                    let code = await errorCode { _ = try await deliveries.next() }
                    #expect(code == .storeUnavailable)
                    while seen.count < 3, let delivery = try await deliveries.next() {
                        try await delivery.acknowledge()
                        seen.add(Seen(delivery))
                    }
                }
                try await pass(streaming) { _ in seen.count == 3 }
                try await group.waitForAll()
            }
        }
        #expect(seen.entries == (1...3).map { Seen($0, attempt: 2) })
    }

    @Test("a settlement that could not be recorded is repeated, and the event does not come again")
    func settlementIsRepeated() async throws {
        let handled = Journal<Seen>()
        let store = store
        let streaming = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.prefetch = 2
                subscription.handle { handled.add(Seen($0)) }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            store.fail(.settle, with: Self.unavailable, on: .nextCalls(1))
            try await streaming.place(1...6)
            try await pass(streaming) { try await $0.position()?.isFinished == true }
        }
        #expect(handled.entries == (1...6).seen)
    }

    @Test("a loop is told, and what it was done with is recorded when it was left, or comes again", arguments: [1, 3])
    func loop(calls: Int) async throws {
        let streaming = try makeOrders(storage: .shared(store), clock: clock, mail: { $0.prefetch = 2 })
        try await streaming.place(1...4)
        store.fail(.settle, with: Self.unavailable, on: .nextCalls(calls))
        let code = await errorCode {
            for try await _ in try streaming.subscribe(to: "mail", as: "a") {}
        }
        #expect(code == .storeUnavailable)
        await streaming.releaseAbandoned()
        store.heal()
        if calls == 1 {
            #expect(try await streaming.take(2, as: "a") == (3...4).seen)
        } else {
            let again = [Seen(1, attempt: 2), Seen(2, attempt: 2)]
            #expect(try await streaming.take(4, as: "a") == again + [3, 4].seen)
        }
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("an answer that is lost repeats nothing and loses nothing")
    func lostAnswer() async throws {
        let handled = Journal<Int>()
        let store = store
        let streaming = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.prefetch = 4
                subscription.handle { handled.add($0.number) }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            store.fail(.settle, with: Self.unavailable, on: .every(3), effect: .after)
            try await streaming.place(0..<40)
            try await pass(streaming) { try await $0.position()?.isFinished == true }
        }
        #expect(handled.entries == Array(0..<40))
    }

    @Test("a store that fails now and then is asked again soon; one that stays away, less and less often")
    func delays() async throws {
        let handled = Journal<Int>()
        let (store, clock) = (store, clock)
        let streaming = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.prefetch = 1
                subscription.retry.maximumAttempts = 100
                subscription.handle { handled.add($0.number) }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            store.fail(.dequeue, with: Self.unavailable, on: .every(3))
            try await streaming.place(0..<40)
            try await streaming.settled("mail", advancing: clock, byAtMost: .seconds(20))
            store.heal()
            store.fail(.dequeue, with: Self.unavailable)
            let failed = store.callCount(of: .dequeue)
            try await streaming.place([40])
            for _ in 0..<60 {
                clock.advance(by: .seconds(1))
                try await inTime { try await clock.waitForSleepers(1) }
            }
            #expect(5..<20 ~= store.callCount(of: .dequeue) - failed)
            store.heal()
            try await streaming.settled("mail", advancing: clock)
        }
        #expect(handled.entries == Array(0...40))
    }

    @Test("of several settlements that a sign of life brings, none is lost when one fails")
    func severalSettlements() async throws {
        let (clock, handled, latch) = (clock, Journal<Int>(), Latch())
        let store = store
        let streaming = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.maximumConcurrency = 5
                subscription.prefetch = 10
                subscription.visibilityTimeout = .seconds(600)
                subscription.handle { delivery in
                    // The first lease, and one after it, stay unfinished after a finished prefix.
                    if [5, 23].contains(delivery.number) { try await latch.wait() }
                    handled.add(delivery.number)
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...60)
            try await handled.wait(for: 58)
            try await inTime { try await clock.waitForSleepers(1) }
            store.fail(.settle, with: Self.unavailable, on: .nextCalls(1))
            for _ in 0..<4 {
                clock.advance(by: .seconds(5))
                try await inTime { try await clock.waitForSleepers(1) }
            }
            latch.open()
            try await streaming.settled("mail")
            #expect(try await streaming.position()?.isFinished == true)
        }
        #expect(Set(handled.entries) == Set(1...60))
        #expect(handled.count == 60)
    }

    @Test("what a consumer held is released also where one of its leases has ended meanwhile")
    func partialRelease() async throws {
        let streaming = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.prefetch = 2
                subscription.visibilityTimeout = .seconds(10)
                subscription.consumerTimeout = .seconds(100)
            }
        )
        try await streaming.place(1...4)
        let clock = clock
        try await streaming.withSubscription(to: "mail", as: "a") { subscription in
            var iterator = subscription.batches.makeAsyncIterator()
            let first = try await iterator.next()
            #expect(first?.map(\.number) == [1, 2])
            clock.advance(by: .seconds(11))
        }
        #expect(try await streaming.consumers(of: "mail").allSatisfy { !$0.isConnected })
        #expect(Set(try await streaming.take(4, as: "b").map(\.number)) == [1, 2, 3, 4])
    }

    @Test("a cancelled loop releases what it held, although its store heeds the cancellation")
    func cancellation() async throws {
        let (gate, hasEvent) = (store.hold(.settle), Latch())
        gate.release()
        let streaming = try makeOrders(storage: .shared(store), clock: clock, mail: { $0.mode = .exclusive })
        try await streaming.place(1...3)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await errorCode {
                    for try await _ in try streaming.subscribe(to: "mail", as: "a") {
                        hasEvent.open()
                        _ = await errorCode { try await Latch().wait() }
                    }
                }
            }
            _ = await errorCode { try await inTime { try await hasEvent.wait() } }
            group.cancelAll()
        }
        #expect(try await streaming.consumers(of: "mail").allSatisfy { !$0.isConnected })
        #expect(try await streaming.take(2, as: "b") == (2...3).seen)
    }
}
