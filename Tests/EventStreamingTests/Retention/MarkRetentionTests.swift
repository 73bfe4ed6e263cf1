import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Retention of the marks of processed events", .timeLimit(.minutes(5)))
struct MarkRetentionTests {
    private let clock = ManualClock()
    private let store: FaultInjectingStore

    init() {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
    }

    private func makeService(_ semantics: DeliverySemantics) throws -> EventStreaming {
        try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.semantics = semantics
            },
            also: { streaming in
                streaming.options.retentionInterval = .seconds(60)
                streaming.options.processedEventRetention = .seconds(3600)
            }
        )
    }

    /// Lets time pass until the clean-up was called so often.
    private func pass(until calls: Int) async throws {
        let (store, clock) = (store, clock)
        try await inTime(.seconds(60), "there was no clean-up") {
            while store.callCount(of: .cleanup) < calls {
                try Task.checkCancellation()
                if let deadline = clock.nextDeadline {
                    clock.advance(by: max(.zero, deadline - clock.uptime))
                }
                for _ in 0..<50 { await Task.yield() }
            }
        }
    }

    @Test("old ones go by themselves, however many, and those that are needed stay")
    func old() async throws {
        let processor = try ProcessorID("somebody")
        let ids = MessageIDGenerator(clock: clock)
        let old = (0..<2500).map { _ in ids.next() }
        _ = try await store.markProcessed(old, by: processor, at: clock.now)
        clock.advance(by: .seconds(3500))
        let new = ids.next()
        _ = try await store.markProcessed([new], by: processor, at: clock.now)
        try await withEventStreaming(try makeService(.exactlyOnce(.lockAndMark))) { _ in
            try await pass(until: 2)
            #expect(try await store.wasProcessed([old[0], new], by: processor).count == 2)
            clock.advance(by: .seconds(101))
            let store = store
            try await inTime(.seconds(60), "the marks are still there") {
                while try await !store.wasProcessed(old, by: processor).isEmpty {
                    try Task.checkCancellation()
                    if let deadline = clock.nextDeadline {
                        clock.advance(by: max(.zero, min(deadline - clock.uptime, .seconds(1))))
                    }
                    for _ in 0..<50 { await Task.yield() }
                }
            }
            #expect(try await store.wasProcessed(new, by: processor))
        }
    }

    @Test("an outage is survived, and the clean-up tried again")
    func outage() async throws {
        store.fail(.cleanup, with: EventStreamingError(.storeUnavailable, "not now"), on: .nextCalls(2))
        try await withEventStreaming(try makeService(.exactlyOnce(.lockAndMark))) { _ in
            try await pass(until: 3)
        }
    }

    @Test("nothing is looked for where nothing is marked")
    func unmarked() async throws {
        let clock = clock
        try await withEventStreaming(try makeService(.atLeastOnce)) { _ in
            for _ in 1...5 {
                try await inTime { try await clock.waitForSleepers(1) }
                clock.advance(by: .seconds(60))
            }
        }
        #expect(store.callCount(of: .cleanup) == 0)
    }
}
