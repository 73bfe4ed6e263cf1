import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Running", .timeLimit(.minutes(5)))
struct RunTests {
    @Test("run returns after beginShutdown, and later calls of both say so or do nothing")
    func once() async throws {
        let streaming = try makeOrders()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await streaming.run() }
            try await streaming.wait { $0.isRunning }
            #expect(await errorCode { try await streaming.run() } == .alreadyRunning)
            streaming.beginShutdown()
            streaming.beginShutdown()
            try await group.waitForAll()
        }
        #expect(streaming.hasStopped)
        #expect(await errorCode { try await streaming.run() } == .shutDown)
        streaming.beginShutdown()
        #expect(streaming.hasStopped)
    }

    @Test("a service that was shut down before it ran stops at once, and handles nothing")
    func shutDownBefore() async throws {
        let streaming = try makeOrders(mail: { $0.handle { _ in Issue.record("A handler ran.") } })
        try await streaming.place([1])
        streaming.beginShutdown()
        try await streaming.run()
        #expect(streaming.hasStopped)
        #expect(await errorCode { try await streaming.run() } == .shutDown)
    }

    @Test("everything but handlers works without run")
    func withoutRun() async throws {
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.handle { _ in Issue.record("A handler ran without run().") }
            },
            also: { streaming in
                streaming.commands.add(PlaceOrderHandler())
            }
        )
        let id = try await streaming.commands.send(PlaceOrder(number: 1))
        try await streaming.place([2])
        #expect(try await streaming.take(2, as: "loop") == (1...2).seen)
        #expect(try await streaming.read("order-events").first?.correlationID == id)
    }

    @Test("after the shutdown nothing new is accepted, and what is stored can be read")
    func afterwards() async throws {
        let streaming = try makeOrders(also: { $0.commands.add(PlaceOrderHandler()) })
        try await withEventStreaming(streaming) { try await $0.place(1...2) }
        #expect(await errorCode { try await streaming.place([3]) } == .shutDown)
        #expect(await errorCode { _ = try await streaming.commands.send(PlaceOrder(number: 3)) } == .shutDown)
        #expect(await errorCode { _ = try streaming.subscribe(to: "mail") } == .shutDown)
        #expect(await errorCode { try await streaming.withSubscription(to: "mail") { _ in } } == .shutDown)
        #expect(try await streaming.read("order-events").count == 2)
        #expect(try await streaming.metadata(of: "order-events").head == StreamOffset(2))
        #expect(try await streaming.progress(of: "mail").isEmpty)
    }

    @Test("cancelling run ends handlers and loops at once, and gives back what they held")
    func cancelling() async throws {
        let clock = ManualClock()
        let store = EventStreamingStorage.inMemory(.init(clock: clock))
        let (handled, looped) = (Journal<Seen>(), Journal<Seen>())
        let streaming = try makeOrders(
            storage: store,
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.handle { delivery in
                    handled.add(Seen(delivery))
                    try await Latch().wait()
                }
            },
            also: { streaming in
                streaming.addSubscription("audit") { $0.stream(OrderWorkflow.self) }
            }
        )
        try await streaming.place(1...3)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let loopEnded = Latch()
            group.addTask {
                for try await delivery in try streaming.subscribe(to: "audit", as: "a") { looped.add(Seen(delivery)) }
                loopEnded.open()
            }
            group.addTask {
                await withThrowingTaskGroup(of: Void.self) { inner in
                    inner.addTask { try await streaming.run() }
                    _ = await errorCode { try await handled.wait(for: 1) }
                    _ = await errorCode { try await looped.wait(for: 3) }
                    inner.cancelAll()
                    let result = await inner.nextResult()
                    #expect(throws: CancellationError.self) { try result?.get() }
                }
            }
            try await inTime { try await loopEnded.wait() }
            try await group.waitForAll()
        }
        #expect(streaming.hasStopped)
        #expect(clock.uptime == .zero)
        let second = try makeOrders(
            storage: store,
            clock: clock,
            mail: { $0.mode = .exclusive },
            also: { streaming in
                streaming.addSubscription("audit") { $0.stream(OrderWorkflow.self) }
            }
        )
        #expect(Set(try await second.take(3, as: "b")) == Set((1...3).seen))
        #expect(try await second.position(of: "audit", "a")?.isFinished == true)
    }
}
