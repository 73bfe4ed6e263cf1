import EventStreamingTesting
import Testing

@testable import EventStreaming

@Suite("Nothing is left behind", .timeLimit(.minutes(5)))
struct LeakTests {
    /// Uses a service, and returns what must be gone afterwards.
    private func use(
        handler: (@Sendable (Delivery) async throws -> Void)? = nil,
        _ body: (EventStreaming) async throws -> Void
    ) async throws -> WeakEngine {
        let streaming = try makeOrders { subscription in
            if let handler { subscription.handle(handler) }
        }
        try await body(streaming)
        return WeakEngine(engine: streaming.engine)
    }

    private struct WeakEngine {
        weak var engine: Engine?
    }

    private func expectGone(_ engine: WeakEngine) async {
        // The last task that used it may be about to let go of it.
        for _ in 0..<1000 where engine.engine != nil { await Task.yield() }
        #expect(engine.engine == nil)
    }

    @Test("after withEventStreaming the engine is gone")
    func afterRunning() async throws {
        let handled = Journal<Int>()
        let handler: @Sendable (Delivery) async throws -> Void = { handled.add($0.number) }
        let engine = try await use(handler: handler) { streaming in
            try await withEventStreaming(streaming) { streaming in
                try await streaming.place(1...100)
                try await handled.wait(for: 100)
            }
        }
        await expectGone(engine)
    }

    @Test("after loops that were left, running or not, the engine is gone", arguments: [false, true])
    func afterLoops(isRunning: Bool) async throws {
        let loops: @Sendable (EventStreaming) async throws -> Void = { streaming in
            try await streaming.place(1...10)
            for try await _ in try streaming.subscribe(to: "mail", as: "a") { break }
            for try await _ in try streaming.subscribe(to: "mail").batches { break }
            _ = await errorCode {
                for try await _ in try streaming.subscribe(to: "mail", as: "b") { throw Failure() }
            }
            try await streaming.withSubscription(to: "mail") { _ in }
        }
        let engine = try await use { streaming in
            if isRunning {
                try await withEventStreaming(streaming) { try await loops($0) }
            } else {
                try await loops(streaming)
            }
        }
        await expectGone(engine)
    }

    @Test("after an iterator that is kept until the end, the engine is gone", arguments: [false, true])
    func keptIterator(isRunning: Bool) async throws {
        let keep: @Sendable (EventStreaming) async throws -> Void = { streaming in
            try await streaming.place(1...10)
            var iterator = try streaming.subscribe(to: "mail", as: "a").makeAsyncIterator()
            #expect(try await iterator.next()?.number == 1)
        }
        let engine = try await use { streaming in
            if isRunning {
                try await withEventStreaming(streaming) { try await keep($0) }
            } else {
                try await keep(streaming)
            }
        }
        await expectGone(engine)
    }

    @Test("after cancelled loops and a cancelled run the engine is gone")
    func afterCancellation() async throws {
        let handled = Journal<Int>()
        let stuck: @Sendable (Delivery) async throws -> Void = { delivery in
            handled.add(delivery.number)
            try await Latch().wait()
        }
        let engine = try await use(handler: stuck) { streaming in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = await errorCode { try await streaming.run() } }
                group.addTask {
                    _ = await errorCode { for try await _ in try streaming.subscribe(to: "mail", as: "a") {} }
                }
                _ = await errorCode {
                    try await streaming.place(1...10)
                    try await handled.wait(for: 1)
                }
                group.cancelAll()
            }
        }
        await expectGone(engine)
    }

    @Test("a thousand loops leave no consumer and no task behind")
    func manyLoops() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...3)
        try await withEventStreaming(streaming) { streaming in
            for _ in 0..<1000 {
                for try await _ in try streaming.subscribe(to: "mail") { break }
            }
            try await streaming.wait { try await $0.consumers(of: "mail").isEmpty }
            #expect(streaming.localConsumers.isEmpty)
        }
        #expect(streaming.localConsumers.isEmpty)
    }
}
