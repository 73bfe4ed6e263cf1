import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Synchronization
import Testing

@Suite("Graceful shutdown", .timeLimit(.minutes(5)))
struct ShutdownTests {
    private let clock = ManualClock()

    @Test("handlers that run finish and count, no other starts, the rest is released as it was")
    func midFlight() async throws {
        let store = EventStreamingStorage.inMemory(.init(clock: clock))
        let (started, finished, latch) = (Journal<Int>(), Journal<Int>(), Latch())
        let first = try makeOrders(
            storage: store,
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.maximumConcurrency = 3
                subscription.handle { delivery in
                    started.add(delivery.number)
                    try await latch.wait()
                    finished.add(delivery.number)
                }
            }
        )
        try await withEventStreaming(first) { streaming in
            try await streaming.place(1...20)
            try await started.wait(for: 3)
            streaming.beginShutdown()
            #expect(finished.count == 0)
            latch.open()
        }
        #expect(Set(started.entries) == [1, 2, 3])
        #expect(Set(finished.entries) == [1, 2, 3])
        let second = try makeOrders(storage: store, clock: clock, mail: { $0.mode = .exclusive })
        let position = try await second.position()
        #expect(position?.position == StreamOffset(3))
        #expect(position?.inFlight == 0)
        #expect(try await second.take(17, as: "b") == (4...20).seen)
        #expect(try await second.deadLetters(of: "mail").isEmpty)
    }

    @Test("loops end by themselves and acknowledge what they were done with", arguments: [false, true])
    func loops(isBatch: Bool) async throws {
        let (seen, latch) = (Journal<Int>(), Latch())
        let streaming = try makeOrders(mail: { $0.mode = .exclusive })
        let store = Journal<Int>()
        try await streaming.place(1...5)
        try await withEventStreaming(streaming) { streaming in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let subscription = try streaming.subscribe(to: "mail", as: "a")
                    if isBatch {
                        for try await batch in subscription.batches {
                            for delivery in batch { seen.add(delivery.number) }
                            try await latch.wait()
                        }
                    } else {
                        for try await delivery in subscription {
                            seen.add(delivery.number)
                            try await latch.wait()
                        }
                    }
                    store.add(1)
                }
                try await seen.wait(for: 1)
                // Another one comes when the first holds everything; it waits, and ends as well.
                group.addTask {
                    for try await delivery in try streaming.subscribe(to: "mail", as: "b") {
                        Issue.record("\(delivery)")
                    }
                    store.add(2)
                }
                try await streaming.wait { try await $0.consumers(of: "mail").filter(\.isConnected).count == 2 }
                streaming.beginShutdown()
                latch.open()
                try await group.waitForAll()
            }
        }
        #expect(Set(store.entries) == [1, 2])
        let done = isBatch ? 5 : 1
        #expect(seen.entries == Array(1...done))
        let position = try await streaming.position()
        #expect(position?.position == StreamOffset(Int64(done)))
        #expect(position?.inFlight == 0)
        #expect(position?.waiting == 5 - done)
        #expect(try await streaming.consumers(of: "mail").allSatisfy { !$0.isConnected })
    }

    @Test("what handlers send and emit while the service drains is accepted, others are refused")
    func admission() async throws {
        let (started, latch) = (Latch(), Latch())
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.include(OrderPlaced.self)
                subscription.handle { delivery in
                    guard delivery.number == 1 else { return }
                    started.open()
                    try await latch.wait()
                    try await delivery.commands.send(ShipOrder(workflowID: delivery.workflowID, number: 1))
                    try await delivery.emitter.emit(OrderShipped(number: 2))
                }
            },
            also: { streaming in
                streaming.commands.add(PlaceOrderHandler())
                streaming.commands.add(ShipOrderHandler())
            }
        )
        try await withEventStreaming(streaming) { streaming in
            _ = try await streaming.commands.send(PlaceOrder(number: 1))
            try await inTime { try await started.wait() }
            streaming.beginShutdown()
            #expect(await errorCode { try await streaming.place([9]) } == .shuttingDown)
            #expect(await errorCode { _ = try await streaming.commands.send(PlaceOrder(number: 9)) } == .shuttingDown)
            #expect(await errorCode { _ = try streaming.subscribe(to: "mail") } == .shuttingDown)
            latch.open()
        }
        let events = try await streaming.read("order-events")
        #expect(events.map(\.type.name) == ["OrderPlaced", "OrderShipped", "OrderShipped"])
        let first = try #require(events.first)
        #expect(events.allSatisfy { $0.correlationID == first.correlationID })
        #expect(events.dropFirst().allSatisfy { $0.causationID == first.id })
        #expect(try await streaming.position()?.isFinished == false)
        #expect(try await streaming.position()?.position == StreamOffset(1))
    }

    @Test("after the deadline handlers are cancelled, and what they held is released as it was")
    func deadline() async throws {
        let store = EventStreamingStorage.inMemory(.init(clock: clock))
        let (started, ended) = (Journal<Seen>(), Journal<Bool>())
        let clock = clock
        let streaming = try makeOrders(
            storage: store,
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.maximumConcurrency = 2
                subscription.handle { delivery in
                    started.add(Seen(delivery))
                    defer { ended.add(Task.isCancelled) }
                    try await Latch().wait()
                }
            },
            also: { $0.options.shutdownTimeout = .seconds(7) }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...3)
            try await started.wait(for: 2)
            streaming.beginShutdown()
            // The deadline, and the housekeeping.
            try await inTime { try await clock.waitForSleepers(2) }
            clock.advance(by: .seconds(6))
            try await inTime { try await clock.waitForSleepers(1) }
            #expect(ended.count == 0)
            #expect(!streaming.hasStopped)
            clock.advance(by: .seconds(1))
            try await ended.wait(for: 2)
        }
        #expect(ended.entries == [true, true])
        #expect(started.count == 2)
        let second = try makeOrders(storage: store, clock: clock, mail: { $0.mode = .exclusive })
        #expect(Set(try await second.take(3, as: "b")) == Set((1...3).seen))
    }

    @Test("a loop that does not ask again is waited for until the deadline, and can then settle nothing")
    func deafLoop() async throws {
        let (hasEvent, latch) = (Latch(), Latch())
        let clock = clock
        let streaming = try makeOrders(clock: clock, mail: { $0.mode = .exclusive })
        try await streaming.place(1...2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
                    hasEvent.open()
                    try await latch.wait()
                    #expect(await errorCode { try await delivery.acknowledge() } == .shutDown)
                }
            }
            try await inTime { try await hasEvent.wait() }
            try await withThrowingTaskGroup(of: Void.self) { inner in
                inner.addTask { try await streaming.run() }
                try await inTime { try await clock.waitForSleepers(1) }
                streaming.beginShutdown()
                try await inTime { try await clock.waitForSleepers(2) }
                clock.advance(by: .seconds(10))
                try await inner.waitForAll()
            }
            latch.open()
            try await group.waitForAll()
        }
        let position = try await streaming.position()
        #expect(position?.position == .zero)
        #expect(position?.inFlight == 0)
        #expect(position?.waiting == 2)
    }

    @Test("an event that is emitted while the service drains is there for the next one")
    func nothingLost() async throws {
        let store = EventStreamingStorage.inMemory(.init(clock: clock))
        let handled = Journal<Int>()
        for round in 0..<10 {
            let streaming = try makeOrders(
                storage: store,
                clock: clock,
                mail: { subscription in
                    subscription.maximumConcurrency = 3
                    subscription.handle { delivery in
                        #expect(delivery.attempt == 1)
                        await Task.yield()
                        handled.add(delivery.number)
                    }
                }
            )
            let known = handled.count
            try await withEventStreaming(streaming) { streaming in
                try await streaming.place(round * 100..<round * 100 + 100)
                try await handled.wait(for: known + 1)
            }
        }
        let last = try makeOrders(
            storage: store, clock: clock, mail: { $0.handle { handled.add($0.number) } })
        try await withEventStreaming(last) { try await $0.settled("mail") }
        #expect(handled.count == 1000)
        #expect(Set(handled.entries) == Set(0..<1000))
    }
}
