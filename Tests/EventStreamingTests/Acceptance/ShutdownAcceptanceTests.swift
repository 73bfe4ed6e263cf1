import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@Suite("Shutting down mid-flight", .timeLimit(.minutes(5)))
struct ShutdownAcceptanceTests {
    private func makeService(
        on store: InMemoryEventStreamStore,
        _ handle: @escaping @Sendable (Delivery) async throws -> Void
    ) throws -> EventStreaming {
        try EventStreaming(storage: .inMemory(store)) { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("orders") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
                subscription.handle(handle)
            }
        }
    }

    @Test func whatRunsFinishesAndTheRestIsGivenBackWithoutAnAttempt() async throws {
        let store = InMemoryEventStreamStore()
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let first = DeliveryRecorder { delivery in
            enter.yield()
            for await _ in gate { break }
        }
        let streaming = try makeService(on: store) { try await first.record($0) }
        try await streaming.emitter.emit((1...10).map { OrderPlaced(number: $0) })
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await streaming.run() }
                for await _ in entered { break }
                trigger.triggerGracefulShutdown()
                open.yield()
                try await group.waitForAll()
            }
        }
        let error = await #expect(throws: EventStreamingError.self) {
            try await streaming.emitter.emit(OrderPlaced(number: 11))
        }
        #expect(error?.code == .shutDown)

        let second = DeliveryRecorder()
        let next = try makeService(on: store) { try await second.record($0) }
        let done = first.deliveries.count
        try await withEventStreaming(next) { next in
            try await second.waitFor(count: 10 - done)
        }
        #expect(done >= 1 && done < 10)
        #expect(second.deliveries.allSatisfy { $0.attempt == 1 })
        let seen = (first.events(of: OrderPlaced.self) + second.events(of: OrderPlaced.self)).map(\.number)
        #expect(seen == Array(1...10))
    }

    @Test func aHandlerThatDoesNotEndIsCancelledAtTheDeadline() async throws {
        let store = InMemoryEventStreamStore()
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let streaming = try EventStreaming(storage: .inMemory(store)) { streaming in
            streaming.options.shutdownTimeout = .milliseconds(50)
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("orders") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
                subscription.handle { _ in
                    enter.yield()
                    try await SystemClock().sleep(until: .seconds(1_000_000))
                }
            }
        }
        try await withEventStreaming(streaming) { streaming in
            try await streaming.emitter.emit(OrderPlaced(number: 1))
            for await _ in entered { break }
        }
        #expect(try await streaming.progress(of: "orders").map(\.inFlight) == [0])
        #expect(try await streaming.progress(of: "orders").map(\.lag) == [1])
    }

    @Test func loopsEndWithTheService() async throws {
        let streaming = try makeService(on: InMemoryEventStreamStore()) { _ in }
        try await withEventStreaming(streaming) { streaming in
            let deliveries = try streaming.subscribe(to: "orders", as: "loop")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await _ in deliveries {}
                }
                streaming.beginShutdown()
                try await group.waitForAll()
            }
        }
        await #expect(throws: EventStreamingError.self) { try await streaming.run() }
        let error = #expect(throws: EventStreamingError.self) { try streaming.subscribe(to: "orders") }
        #expect(error?.code == .shutDown)
    }
}
