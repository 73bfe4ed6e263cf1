import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Time-outs of consumers and events", .timeLimit(.minutes(5)))
struct ExpiryTests {
    private let clock = ManualClock()
    private static let unavailable = EventStreamingError(.storeUnavailable, "not now")

    @Test("an exclusive or durable consumer that expired registers again and goes on", arguments: [false, true])
    func registersAgain(isExclusive: Bool) async throws {
        let streaming = try makeOrders(clock: clock, mail: { $0.mode = isExclusive ? .exclusive : .broadcast })
        try await streaming.place(1...3)
        var seen: [Seen] = []
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            seen.append(Seen(delivery))
            if seen.count == 1 {
                clock.advance(by: .seconds(31))
                #expect(try await streaming.consumers(of: "mail").allSatisfy { !$0.isConnected })
            }
            if seen.count(where: { $0.attempt == 2 }) == 3 {
                try await delivery.acknowledge()
                break
            }
        }
        #expect(seen.filter { $0.attempt == 2 } == (1...3).map { Seen($0, attempt: 2) })
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("a temporary broadcast consumer that expired is told, for it may have missed events")
    func unknownConsumer() async throws {
        let streaming = try makeOrders(clock: clock, mail: { $0.prefetch = 1 })
        try await streaming.place(1...3)
        var seen: [Seen] = []
        let code = await errorCode {
            for try await delivery in try streaming.subscribe(to: "mail") {
                seen.append(Seen(delivery))
                clock.advance(by: .seconds(31))
            }
        }
        #expect(code == .unknownConsumer)
        #expect(seen == [Seen(1)])
    }

    @Test("while the service runs, too, only a temporary broadcast consumer is told", arguments: [false, true])
    func expiredWhileRunning(isTemporary: Bool) async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
        let streaming = try makeOrders(storage: .shared(store), clock: clock)
        let journal = Journal<Int>()
        let clock = clock
        try await withEventStreaming(streaming) { streaming in
            try await withThrowingTaskGroup(of: EventStreamingError.Code?.self) { group in
                group.addTask {
                    let name: String? = isTemporary ? nil : "a"
                    let subscription =
                        try name.map { try streaming.subscribe(to: "mail", as: $0) }
                        ?? streaming.subscribe(to: "mail")
                    return await errorCode {
                        for try await delivery in subscription {
                            journal.add(delivery.number)
                            if delivery.number == 2 {
                                try await delivery.acknowledge()
                                break
                            }
                        }
                    }
                }
                try await streaming.place([1])
                try await journal.wait(for: 1)
                try await streaming.wait { try await $0.position()?.isFinished == true }
                store.fail(.heartbeat, with: Self.unavailable)
                for _ in 0..<8 {
                    try await inTime { try await clock.waitForSleepers(1) }
                    clock.advance(by: .seconds(5))
                }
                try await streaming.wait { try await $0.consumers(of: "mail").allSatisfy { !$0.isConnected } }
                store.heal()
                try await inTime { try await clock.waitForSleepers(1) }
                clock.advance(by: .seconds(5))
                if isTemporary {
                    let code = try await inTimeNext(&group)
                    #expect(code == .unknownConsumer)
                } else {
                    try await streaming.wait { try await $0.consumers(of: "mail").contains(where: \.isConnected) }
                    try await streaming.place([2])
                    let code = try await inTimeNext(&group)
                    #expect(code == nil)
                    #expect(journal.entries == [1, 2])
                }
            }
        }
    }

    private func inTimeNext(
        _ group: inout ThrowingTaskGroup<EventStreamingError.Code?, any Error>
    ) async throws -> EventStreamingError.Code? {
        try await group.next() ?? nil
    }

    @Test("an event held for too long is taken back alone, while the service runs")
    func takenBackAlone() async throws {
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.visibilityTimeout = .seconds(9)
            }
        )
        let (clock, journal, latch) = (clock, Journal<Seen>(), Latch())
        try await streaming.place(1...4)
        try await withEventStreaming(streaming) { streaming in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await delivery in try streaming.subscribe(to: "mail", as: "slow") {
                        journal.add(Seen(delivery))
                        if delivery.number == 1 {
                            try await latch.wait()
                            #expect(await errorCode { try await delivery.acknowledge() } == .leaseExpired)
                            #expect(await errorCode { try await delivery.reject(.deadLetter) } == .leaseExpired)
                        }
                        if delivery.number == 4 {
                            try await delivery.acknowledge()
                            break
                        }
                    }
                }
                try await journal.wait(for: 1)
                for _ in 0..<5 {
                    try await inTime { try await clock.waitForSleepers(1) }
                    clock.advance(by: .seconds(3))
                }
                #expect(try await streaming.take(1, as: "quick") == [Seen(1, attempt: 2)])
                latch.open()
                try await group.waitForAll()
            }
            #expect(journal.entries == (1...4).seen)
            try await streaming.wait { try await $0.position()?.isFinished == true }
            #expect(try await streaming.deadLetters(of: "mail").isEmpty)
        }
    }

    @Test("a handler slower than the consumer timeout is kept alive by signs of life")
    func keptAlive() async throws {
        let (clock, journal, latch) = (clock, Journal<Seen>(), Latch())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.consumerTimeout = .seconds(6)
                subscription.visibilityTimeout = .seconds(600)
                subscription.handle { delivery in
                    journal.add(Seen(delivery))
                    if delivery.number == 1 { try await latch.wait() }
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...3)
            try await journal.wait(for: 1)
            for _ in 0..<30 {
                try await inTime { try await clock.waitForSleepers(1) }
                clock.advance(by: .seconds(2))
            }
            try await inTime { try await clock.waitForSleepers(1) }
            #expect(try await streaming.consumers(of: "mail").map(\.isConnected) == [true])
            latch.open()
            try await streaming.settled("mail")
        }
        #expect(journal.entries == (1...3).seen)
    }

    @Test("a handler that is slower than the visibility timeout finds its event delivered again, to another worker")
    func handlerTooSlow() async throws {
        let (clock, journal, latch) = (clock, Journal<Seen>(), Latch())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.visibilityTimeout = .seconds(6)
                subscription.maximumConcurrency = 2
                subscription.handle { delivery in
                    journal.add(Seen(delivery))
                    if delivery.attempt == 1 { try await latch.wait() }
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            try await journal.wait(for: 1)
            for _ in 0..<5 {
                try await inTime { try await clock.waitForSleepers(1) }
                clock.advance(by: .seconds(2))
            }
            #expect(try await journal.wait(for: 2) == [Seen(1), Seen(1, attempt: 2)])
            try await streaming.settled("mail")
            latch.open()
        }
        #expect(journal.count == 2)
    }
}
