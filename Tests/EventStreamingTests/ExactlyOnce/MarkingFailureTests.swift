import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

/// What becomes of the mark when the store fails, a process ends, or a lease runs out, at every place in between.
@Suite("Exactly once by lock and mark, when something fails", .timeLimit(.minutes(5)))
struct MarkingFailureTests {
    private static let unavailable = EventStreamingError(.storeUnavailable, "not now")
    private let clock = ManualClock()
    private let store: FaultInjectingStore
    private let handled = Journal<Seen>()

    init() {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
    }

    /// Runs a service around `body`. It has little time to end, in real time, whatever its own clock says.
    private func withMarking(
        _ configure: (inout SubscriptionConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (EventStreaming) async throws -> Void
    ) async throws {
        let handled = handled
        try await withTestEventStreaming(storage: .shared(store), clock: clock) { streaming in
            streaming.options.shutdownTimeout = .milliseconds(200)
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
                subscription.semantics = .exactlyOnce(.lockAndMark)
                subscription.handle { handled.add(Seen($0)) }
                configure(&subscription)
            }
        } _: { streaming, _ in
            try await body(streaming)
        }
    }

    private func isFinished(_ streaming: EventStreaming) async throws -> Bool {
        try await streaming.position()?.isFinished == true
    }

    @Test(
        "an outage at any call repeats no effect, whether the call had its effect or not",
        arguments: [
            FaultInjectingStore.Operation.claim, .settle, .dequeue, .markProcessed, .releaseLocks, .heartbeat,
            .registerConsumer,
        ],
        [FaultInjectingStore.Effect.before, .after]
    )
    func outage(_ operation: FaultInjectingStore.Operation, _ effect: FaultInjectingStore.Effect) async throws {
        try await withMarking { subscription in
            subscription.maximumConcurrency = 3
            subscription.prefetch = 10
            subscription.retry.maximumAttempts = 100
        } _: { streaming in
            for round in 0..<5 {
                store.fail(operation, with: Self.unavailable, on: .nextCalls(3), effect: effect)
                try await streaming.place(round * 20..<round * 20 + 20)
                try await streaming.pass(clock, until: isFinished)
                store.heal()
            }
            #expect(try await streaming.deadLetters(of: "mail").isEmpty)
        }
        #expect(handled.entries.map(\.number).sorted() == Array(0..<100))
    }

    @Test(
        "a crash between the effect and the mark repeats the effect; a crash after the mark does not",
        arguments: [
            FaultInjectingStore.Effect.before, .after,
        ])
    func crash(_ effect: FaultInjectingStore.Effect) async throws {
        let (handled, store, clock) = (handled, store, clock)
        // The process ends while the store does not answer: whatever it wanted to say is lost.
        store.fail(.settle, with: Self.unavailable, effect: effect)
        try await withMarking { streaming in
            try await streaming.place([1])
            try await handled.wait(for: 1)
            try await inTime {
                while store.callCount(of: .settle) == 0 { await Task.yield() }
            }
        }
        store.heal()
        try await withMarking { try await $0.pass(clock, until: isFinished) }
        #expect(handled.entries.count == (effect == .before ? 2 : 1))
    }

    @Test("a lease that ended while its event was handled leaves a mark, and the event is not handled again")
    func lateMark() async throws {
        let (handled, latch, clock) = (handled, Latch(), clock)
        try await withMarking { subscription in
            subscription.handle { delivery in
                handled.add(Seen(delivery))
                await latch.waitStubbornly()
            }
        } _: { streaming in
            try await streaming.place([1])
            try await handled.wait(for: 1)
            // Nobody extends the lease, as if the process had been stopped.
            store.fail(.heartbeat, with: Self.unavailable)
            clock.advance(by: .seconds(40))
            try await streaming.wait { try await $0.position()?.inFlight == 0 }
            latch.open()
            store.heal()
            try await streaming.pass(clock, until: isFinished)
        }
        #expect(handled.entries == [Seen(1)])
    }

    @Test("a service that ends in a batch marks what is done, and gives back the rest without counting it")
    func shutdown() async throws {
        let (handled, arrived, latch) = (handled, Latch(), Latch())
        try await withMarking { subscription in
            subscription.handle { delivery in
                if delivery.number == 3 {
                    arrived.open()
                    try await latch.wait()
                }
                handled.add(Seen(delivery))
            }
        } _: { streaming in
            try await streaming.place(0..<6)
            try await inTime { try await arrived.wait() }
        }
        #expect(handled.entries == (0..<3).seen)
        try await withMarking { try await $0.pass(clock, until: isFinished) }
        #expect(handled.entries.map(\.number) == Array(0..<6))
        #expect(handled.entries.allSatisfy { $0.number == 3 || $0.attempt == 1 })
    }

    @Test("services that share the work handle every event once, whatever fails now and then")
    func sharedWork() async throws {
        let (store, clock, handled) = (store, clock, handled)
        let configure: @Sendable (inout SubscriptionConfiguration) -> Void = { subscription in
            subscription.mode = .consumerGroup
            subscription.partitions = 8
            subscription.maximumConcurrency = 3
            subscription.prefetch = 16
            subscription.retry.maximumAttempts = 1000
        }
        for operation in [FaultInjectingStore.Operation.claim, .settle, .markProcessed, .dequeue] {
            store.fail(operation, with: Self.unavailable, on: .every(7), effect: .after)
            store.fail(operation, with: Self.unavailable, on: .every(5))
        }
        try await withMarking(configure) { first in
            try await withMarking(configure) { second in
                for number in 0..<200 {
                    try await second.emitter.emit(OrderPlaced(number: number), in: try WorkflowID("w\(number % 9)"))
                }
                try await second.pass(clock) { _ in handled.count >= 150 }
            }
            store.heal()
            try await first.pass(clock, until: isFinished)
        }
        #expect(handled.entries.map(\.number).sorted() == Array(0..<200))
    }
}
