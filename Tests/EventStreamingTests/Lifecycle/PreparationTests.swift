import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Preparing the store", .timeLimit(.minutes(5)))
struct PreparationTests {
    private static let unavailable = EventStreamingError(.storeUnavailable, "not now")

    @Test(
        "a failure is reported to whoever caused it, and the next call tries again",
        arguments: [FaultInjectingStore.Operation.createStream, .createSubscription]
    )
    func retried(_ operation: FaultInjectingStore.Operation) async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore())
        store.fail(operation, with: Self.unavailable, on: .nextCalls(2))
        let streaming = try makeOrders(storage: .shared(store))
        #expect(await errorCode { try await streaming.place([1]) } == .storeUnavailable)
        #expect(await errorCode { _ = try await streaming.take(1, as: "a") } == .storeUnavailable)
        try await streaming.place([2])
        #expect(try await streaming.take(1, as: "a") == [Seen(2)])
        #expect(try await streaming.read("order-events").count == 1)
    }

    @Test("a service whose store cannot be prepared does not run")
    func doesNotRun() async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore())
        store.fail(.createSubscription, with: Self.unavailable)
        let streaming = try makeOrders(storage: .shared(store))
        #expect(await errorCode { try await streaming.run() } == .storeUnavailable)
    }

    @Test("many first calls at once prepare the store once")
    func once() async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore())
        let gate = store.hold(.createStream)
        let streaming = try makeOrders(storage: .shared(store))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask { try await streaming.place([number]) }
            }
            try await gate.waitForArrivals(1)
            gate.release()
            try await group.waitForAll()
        }
        #expect(store.callCount(of: .createStream) == 1)
        #expect(store.callCount(of: .createSubscription) == 1)
        #expect(try await streaming.read("order-events").count == 10)
    }

    @Test("a cancelled caller does not keep the others from being served")
    func cancelledCaller() async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore())
        let gate = store.hold(.createStream, on: .nextCalls(1))
        let streaming = try makeOrders(storage: .shared(store))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: EventStreamingError.Code?.self) { inner in
                    inner.addTask { await errorCode { try await streaming.place([1]) } }
                    _ = await errorCode { try await gate.waitForArrivals(1) }
                    inner.cancelAll()
                    #expect(await inner.next() == .cancelled)
                }
            }
            group.addTask {
                try await gate.waitForArrivals(1)
                // Whoever waits for the cancelled one is told, and tries again.
                if await errorCode({ try await streaming.place([2]) }) != nil {
                    try await streaming.place([2])
                }
            }
            try await group.waitForAll()
        }
        #expect(try await streaming.read("order-events").count == 1)
    }
}
