import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Redelivery", .timeLimit(.minutes(5)))
struct RedeliveryTests {
    private struct Moment: Equatable {
        var attempt: Int
        var seconds: Double
    }

    @Test("delays double from attempt to attempt up to the longest one, never shorter")
    func backOff() async throws {
        let (clock, journal) = (ManualClock(), Journal<Moment>())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.retry.maximumAttempts = 6
                subscription.retry.initialDelay = .seconds(1)
                subscription.retry.maximumDelay = .seconds(6)
                subscription.retry.jitter = 0
                subscription.handle { delivery in
                    journal.add(Moment(attempt: delivery.attempt, seconds: clock.uptime / .seconds(1)))
                    throw Failure()
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            try await streaming.settled("mail", advancing: clock)
        }
        let expected = [0, 1, 3, 7, 13, 19].enumerated().map { Moment(attempt: $0 + 1, seconds: Double($1)) }
        #expect(journal.entries == expected)
    }

    @Test("jitter keeps a delay within its part of itself")
    func jitter() async throws {
        let (clock, journal) = (ManualClock(), Journal<Double>())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.maximumConcurrency = 20
                subscription.retry.initialDelay = .seconds(2)
                subscription.retry.jitter = 0.5
                subscription.handle { delivery in
                    if delivery.attempt == 1 { throw Failure() }
                    journal.add(clock.uptime / .seconds(1))
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...20)
            try await streaming.settled("mail", advancing: clock)
        }
        let delays = journal.entries
        #expect(delays.count == 20)
        #expect(delays.allSatisfy { (1.0...3.0).contains($0) })
        #expect(Set(delays).count > 1)
    }

    @Test("an event that always fails does not disturb its neighbours", arguments: [1, 4])
    func poison(concurrency: Int) async throws {
        let (clock, journal) = (ManualClock(), Journal<Seen>())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.maximumConcurrency = concurrency
                subscription.retry.maximumAttempts = 3
                subscription.handle { delivery in
                    journal.add(Seen(delivery))
                    if delivery.number == 10 { throw Failure() }
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...30)
            try await streaming.settled("mail", advancing: clock)
            let position = try await streaming.position()
            #expect(position?.isFinished == true)
            #expect(position?.deadLetters == 1)
        }
        let neighbours = journal.entries.filter { $0.number != 10 }
        #expect(neighbours.sorted { $0.number < $1.number } == (1...30).filter { $0 != 10 }.seen)
        if concurrency == 1 {
            #expect(neighbours.map(\.number) == neighbours.map(\.number).sorted())
        }
        #expect(journal.entries.filter { $0.number == 10 }.map(\.attempt) == [1, 2, 3])
    }

    @Test("attempts are counted across services that share the store")
    func attemptsAcrossServices() async throws {
        let clock = ManualClock()
        let storage = EventStreamingStorage.inMemory(.init(clock: clock))
        for attempt in 1...4 {
            let streaming = try makeOrders(storage: storage, clock: clock)
            if attempt == 1 { try await streaming.place([1]) }
            try await withEventStreaming(streaming) { streaming in
                for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
                    #expect(delivery.attempt == attempt)
                    try await delivery.reject(.retry(after: .zero))
                    break
                }
            }
        }
    }

    @Test("while one event waits for its next attempt, those behind it are delivered")
    func othersGoOn() async throws {
        let (clock, journal) = (ManualClock(), Journal<Seen>())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.retry.initialDelay = .seconds(60)
                subscription.handle { delivery in
                    journal.add(Seen(delivery))
                    if delivery.number == 1, delivery.attempt == 1 { throw Failure() }
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...20)
            #expect(try await journal.wait(for: 20) == (1...20).seen)
            try await streaming.wait { try await $0.position()?.inFlight == 0 }
            let position = try await streaming.position()
            #expect(position?.position == .zero)
            #expect(position?.waiting == 1)
            try await streaming.settled("mail", advancing: clock)
            #expect(journal.entries.last == Seen(1, attempt: 2))
        }
    }
}
