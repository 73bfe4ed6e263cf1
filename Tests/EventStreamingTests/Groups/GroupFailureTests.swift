import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

/// Members of a group that do what they should not.
@Suite("Consumer groups with members that misbehave", .timeLimit(.minutes(5)))
struct GroupFailureTests {
    private let clock = ManualClock()
    private let store: InMemoryEventStreamStore
    private let handled = Journal<Seen>()

    init() {
        store = InMemoryEventStreamStore(clock: clock)
    }

    private func makeMember(
        _ configure: (inout SubscriptionConfiguration) -> Void = { _ in }
    ) throws -> EventStreaming {
        let handled = handled
        return try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.mode = .consumerGroup
                subscription.partitions = 8
                subscription.retry.initialDelay = .zero
                subscription.handle { handled.add(Seen($0)) }
                configure(&subscription)
            }
        )
    }

    private func place(_ numbers: Range<Int>, in streaming: EventStreaming) async throws {
        for number in numbers {
            try await streaming.emitter.emit(OrderPlaced(number: number), in: try WorkflowID("w\(number % 5)"))
        }
    }

    @Test("a handler that never returns holds up its own key for a while, and is given up on")
    func neverReturns() async throws {
        let (handled, latch) = (handled, Latch())
        let member = try makeMember { subscription in
            subscription.maximumConcurrency = 4
            subscription.retry.maximumAttempts = 2
            subscription.handle { delivery in
                if delivery.number == 5 { await latch.waitStubbornly() }
                handled.add(Seen(delivery))
            }
        }
        try await withEventStreaming(member) { streaming in
            defer { latch.open() }
            try await place(0..<20, in: streaming)
            // Four keys go on; of the fifth, everything behind the one that hangs waits for it.
            try await streaming.pass(clock) { _ in handled.count >= 17 }
            #expect(Set(handled.entries.prefix(17).map(\.number)).isDisjoint(with: [5, 10, 15]))
            try await streaming.pass(clock) { try await $0.position()?.isFinished == true }
            let letters = try await streaming.deadLetters(of: "mail")
            #expect(letters.map(\.event.offset.rawValue) == [5])
            #expect(letters.map(\.attempts) == [2])
            #expect(Set(handled.entries.map(\.number)) == Set(0..<20).subtracting([5]))
        }
    }

    @Test("of two members with one name the later one works, and the other stands back until it has left")
    func sameName() async throws {
        let (clock, handled) = (clock, handled)
        let first = try makeMember { $0.consumer = "twin" }
        try await withEventStreaming(first) { first in
            try await first.wait { try await $0.consumers(of: "mail").contains(where: \.isConnected) }
            let second = try makeMember { $0.consumer = "twin" }
            try await withEventStreaming(second) { second in
                try await second.wait {
                    try await $0.partitions(of: "mail").allSatisfy { $0.owner?.rawValue == "twin" }
                }
                try await place(0..<10, in: second)
                try await second.pass(clock) { _ in handled.count >= 10 }
            }
            try await place(10..<20, in: first)
            try await first.pass(clock) { _ in handled.count >= 20 }
        }
        #expect(handled.entries.map(\.number).sorted() == Array(0..<20))
    }

    @Test("a loop whose name another one took is told, and what it says then is refused")
    func staleEpoch() async throws {
        let streaming = try makeMember { $0.handle { _ in throw Failure() } }
        let loops = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.mode = .consumerGroup
                subscription.partitions = 8
            }
        )
        try await place(0..<5, in: streaming)
        var deliveries = try loops.subscribe(to: "mail", as: "twin").makeAsyncIterator()
        let held = try #require(try await deliveries.next())
        #expect(try await loops.take(5, as: "twin").map(\.number).sorted() == Array(0..<5))
        let code = await errorCode { try await held.acknowledge() }
        #expect(code == .consumerReplaced || code == .leaseExpired)
        #expect(await errorCode { _ = try await deliveries.next() } == .consumerReplaced)
        #expect(try await loops.position()?.isFinished == true)
    }

    @Test("a program from before the partitions were changed does not start")
    func olderProgram() async throws {
        let current = try makeMember()
        try await place(0..<10, in: current)
        try await current.repartition("mail", into: 12)
        let older = try makeMember()
        #expect(await errorCode { try await older.run() } == .subscriptionConflict)
        let newer = try makeMember { $0.partitions = 12 }
        try await withEventStreaming(newer) { streaming in
            try await streaming.pass(clock) { try await $0.position()?.isFinished == true }
        }
        #expect(handled.count == 10)
    }

    @Test("a failure of every first attempt keeps the order of each key, with a filter and several members")
    func throwing() async throws {
        let (handled, clock) = (handled, clock)
        let configure: @Sendable (inout SubscriptionConfiguration) -> Void = { subscription in
            subscription.maximumConcurrency = 3
            subscription.handle(OrderPlaced.self) { order, delivery in
                if delivery.attempt == 1, order.number % 3 == 0 { throw Failure() }
                handled.add(Seen(delivery))
            }
        }
        try await withEventStreaming(try makeMember(configure)) { first in
            try await withEventStreaming(try makeMember(configure)) { second in
                for number in 0..<60 {
                    let workflow = try WorkflowID("w\(number % 5)")
                    try await second.emitter.emit(OrderPlaced(number: number), in: workflow)
                    try await second.emitter.emit(OrderShipped(number: number), in: workflow)
                }
                try await second.pass(clock) { try await $0.position()?.isFinished == true }
            }
        }
        let numbers = handled.entries.map(\.number)
        #expect(numbers.count == 60)
        for key in 0..<5 {
            #expect(numbers.filter { $0 % 5 == key } == Array(stride(from: key, to: 60, by: 5)))
        }
    }
}
