import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Next events that cannot be read", .timeLimit(.minutes(5)))
struct UnreadableEventTests {
    @Test(
        "the store learns what was finished before, and the loop gets the error",
        arguments: [FaultInjectingStore.Effect.before, .after]
    )
    func settled(_ effect: FaultInjectingStore.Effect) async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: SystemClock()))
        let streaming = try makeOrders(storage: .shared(store), mail: { $0.prefetch = 2 })
        try await streaming.place(1...4)
        var deliveries = try streaming.subscribe(to: "mail", as: "a").makeAsyncIterator()
        for number in 1...2 {
            #expect(try await deliveries.next()?.number == number)
        }
        let damage = EventStreamingError(.storeDamaged, "The next event is damaged.")
        store.fail(.dequeue, with: damage, on: .nextCalls(1), effect: effect)
        let calls = store.callCount(of: .settle)
        #expect(await errorCode { _ = try await deliveries.next() } == .storeDamaged)
        #expect(try await streaming.position()?.position == StreamOffset(2))
        // Together with the question, and once more alone.
        #expect(store.callCount(of: .settle) == calls + 2)
        #expect(await errorCode { _ = try await deliveries.next() } == .storeDamaged)
    }

    @Test("what was refused is not told again", arguments: [EventStreamingError.Code.consumerReplaced, .leaseExpired])
    func refused(_ code: EventStreamingError.Code) async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: SystemClock()))
        let streaming = try makeOrders(storage: .shared(store), mail: { $0.prefetch = 2 })
        try await streaming.place(1...2)
        var deliveries = try streaming.subscribe(to: "mail", as: "a").makeAsyncIterator()
        for number in 1...2 {
            #expect(try await deliveries.next()?.number == number)
        }
        store.fail(.dequeue, with: EventStreamingError(code, "Refused."), on: .nextCalls(1))
        store.fail(.dequeue, with: EventStreamingError(.storeDamaged, "Enough."))
        let calls = store.callCount(of: .settle)
        #expect(await errorCode { _ = try await deliveries.next() } != nil)
        #expect(store.callCount(of: .settle) == calls + 1)
    }
}
