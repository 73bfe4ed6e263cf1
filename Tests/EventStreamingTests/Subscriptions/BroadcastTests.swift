import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Broadcast: every consumer gets every event", .timeLimit(.minutes(5)))
struct BroadcastTests {
    @Test("each of several consumers gets everything, in order", arguments: StreamType.allCases)
    func everybodyEverything(_ type: StreamType) async throws {
        let streaming = try makeOrders(type)
        try await streaming.withSubscription(to: "mail", as: "a") { a in
            try await streaming.withSubscription(to: "mail", as: "b") { b in
                try await streaming.withSubscription(to: "mail") { c in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for subscription in [a, b, c] {
                            group.addTask {
                                let seen = try await subscription.take(500)
                                #expect(seen == (1...500).seen)
                            }
                        }
                        for begin in stride(from: 1, through: 500, by: 20) {
                            try await streaming.place(begin..<begin + 20)
                        }
                        try await group.waitForAll()
                    }
                }
            }
        }
    }

    @Test("under the same name the next loop goes on where the last one ended")
    func durable() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...6)
        #expect(try await streaming.take(2, as: "a") == (1...2).seen)
        #expect(try await streaming.take(3, as: "a") == (3...5).seen)
        try await streaming.place(7...8)
        #expect(try await streaming.take(3, as: "a") == (6...8).seen)
        #expect(try await streaming.take(1, as: "b") == [Seen(1)])
    }

    @Test("a position survives its service")
    func acrossServices() async throws {
        let clock = ManualClock()
        let storage = EventStreamingStorage.inMemory(.init(clock: clock))
        let first = try makeOrders(storage: storage, clock: clock)
        try await first.place(1...4)
        #expect(try await first.take(2, as: "a") == (1...2).seen)
        await first.releaseAbandoned()
        let second = try makeOrders(storage: storage, clock: clock)
        #expect(try await second.take(2, as: "a") == (3...4).seen)
    }

    @Test("temporary consumers begin where they say, and leave nothing behind")
    func temporary() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...3)
        #expect(try await streaming.subscribe(to: "mail").take(3) == (1...3).seen)
        #expect(try await streaming.subscribe(to: "mail", from: .offset(StreamOffset(2))).take(1) == [Seen(3)])
        try await streaming.withSubscription(to: "mail", from: .latest) { subscription in
            try await streaming.place(4...5)
            #expect(try await subscription.take(2) == (4...5).seen)
        }
        await streaming.releaseAbandoned()
        #expect(try await streaming.consumers(of: "mail").isEmpty)
        #expect(try await streaming.progress(of: "mail").isEmpty)
    }

    @Test("withSubscription sees what is emitted in its body, also from the latest on")
    func emittedInBody() async throws {
        let streaming = try makeOrders(.ephemeral, mail: { $0.start = .latest })
        try await streaming.place([0])
        let seen = try await streaming.withSubscription(to: "mail") { subscription in
            try await streaming.place([1])
            try await streaming.place([2])
            return try await subscription.take(2)
        }
        #expect(seen == (1...2).seen)
    }

    @Test("withSubscription unregisters the consumer, whether its body returns or throws")
    func unregisters() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...2)
        await #expect(throws: Failure()) {
            try await streaming.withSubscription(to: "mail", as: "a") { subscription in
                for try await _ in subscription { throw Failure() }
            }
        }
        #expect(try await streaming.consumers(of: "mail").allSatisfy { !$0.isConnected && $0.inFlight == 0 })
        #expect(try await streaming.take(2, as: "a") == [Seen(1, attempt: 2), Seen(2)])
    }

    @Test("withSubscription has given everything back when it returns, also when its loop was left")
    func givesBackBeforeReturning() async throws {
        let streaming = try makeOrders(mail: { $0.mode = .exclusive })
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            for _ in 0..<500 {
                try await streaming.withSubscription(to: "mail") { subscription in
                    for try await delivery in subscription {
                        try await delivery.reject(.retry(after: .zero))
                        break
                    }
                }
                #expect(streaming.localConsumers.isEmpty)
                if try await streaming.position()?.isFinished == true { try await streaming.place([1]) }
            }
        }
    }

    @Test("a consumer that is stuck does not hold up another one, nor is it passed over")
    func slowConsumer() async throws {
        let (latch, slow, fast) = (Latch(), Journal<Int>(), Journal<Int>())
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.prefetch = 4
                subscription.handle { delivery in
                    slow.add(delivery.number)
                    try await latch.wait()
                }
            },
            also: { streaming in
                streaming.addSubscription("audit") { subscription in
                    subscription.stream(OrderWorkflow.self)
                    subscription.handle { fast.add($0.number) }
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...1000)
            #expect(try await fast.wait(for: 1000) == Array(1...1000))
            #expect(try await slow.wait(for: 1) == [1])
            let stuck = try await streaming.position(of: "mail")
            #expect(stuck?.position == .zero)
            #expect((stuck?.inFlight ?? 0) <= 4)
            latch.open()
            #expect(try await slow.wait(for: 1000) == Array(1...1000))
        }
    }
}
