import EventStreaming
import EventStreamingTesting
import MetricsTestKit
import Testing

@Suite("Handlers", .timeLimit(.minutes(5)))
struct HandlerTests {
    @Test("one at a time by default, in the order of the stream")
    func inOrder() async throws {
        let (journal, running) = (Journal<Int>(), Tally())
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.handle { delivery in
                    #expect(running.add(1) == 1)
                    await Task.yield()
                    journal.add(delivery.number)
                    running.add(-1)
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            for begin in stride(from: 0, to: 300, by: 30) {
                try await streaming.place(begin..<begin + 30)
            }
            #expect(try await journal.wait(for: 300) == Array(0..<300))
        }
    }

    @Test("never more at once than the limit, and as many as the limit")
    func concurrency() async throws {
        let (journal, running, latch) = (Journal<Int>(), Tally(), Latch())
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.maximumConcurrency = 5
                subscription.handle { delivery in
                    journal.add(running.add(1))
                    try await latch.wait()
                    for _ in 0..<delivery.number % 7 { await Task.yield() }
                    running.add(-1)
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...400)
            try await journal.wait(for: 5)
            latch.open()
            let seen = try await journal.wait(for: 400)
            #expect(seen.max() == 5)
            try await streaming.settled("mail")
        }
    }

    @Test("the position never passes an event that is still being handled", arguments: [2, 256])
    func watermark(prefetch: Int) async throws {
        let (clock, journal, latch) = (ManualClock(), Journal<Int>(), Latch())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.maximumConcurrency = 2
                subscription.prefetch = prefetch
                subscription.handle { delivery in
                    if delivery.number == 3 { try await latch.wait() }
                    journal.add(delivery.number)
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...100)
            try await journal.wait(for: 99)
            #expect(try await streaming.position()?.position ?? .zero <= StreamOffset(2))
            try await inTime { try await clock.waitForSleepers(1) }
            clock.advance(by: .seconds(5))
            // Signs of life report what is finished before the blocked event.
            try await streaming.wait { try await $0.position()?.position == StreamOffset(2) }
            #expect(try await streaming.position()?.isFinished == false)
            latch.open()
            try await streaming.settled("mail")
        }
        #expect(Set(journal.entries) == Set(1...100))
        #expect(journal.count == 100)
    }

    @Test("a consumer never holds more than the prefetch", arguments: [1, 4])
    func prefetch(concurrency: Int) async throws {
        let (metrics, started, done) = (TestMetrics(), Journal<Int>(), Journal<Int>())
        let (latch, held) = (Latch(), Tally())
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.maximumConcurrency = concurrency
                subscription.prefetch = 6
                subscription.handle { delivery in
                    started.add(delivery.number)
                    // Three workers are stuck; the others go on.
                    if concurrency > 1, delivery.number <= 3 { try await latch.wait() }
                    let leased = metrics.counterTotal(label: "messaging.client.consumed.messages")
                    held.raise(to: Int(leased) - done.count)
                    done.add(delivery.number)
                }
            },
            also: { $0.options.metrics = metrics }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...200)
            try await done.wait(for: concurrency > 1 ? 197 : 200)
            latch.open()
            try await done.wait(for: 200)
        }
        #expect(held.value <= 6)
    }

    @Test("a handler that settles its delivery decides, and the end of the handler changes nothing")
    func settlesItself() async throws {
        let (clock, journal) = (ManualClock(), Journal<Seen>())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.handle { delivery in
                    journal.add(Seen(delivery))
                    switch delivery.number {
                    case 1:
                        try await delivery.acknowledge()
                        throw Failure()
                    case 2 where delivery.attempt == 1: try await delivery.reject()
                    case 3: try await delivery.reject(.deadLetter)
                    default: break
                    }
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...4)
            try await streaming.settled("mail", advancing: clock)
            #expect(journal.entries == [Seen(1), Seen(2), Seen(3), Seen(4), Seen(2, attempt: 2)])
            #expect(try await streaming.deadLetters(of: "mail").map(\.event.offset) == [StreamOffset(2)])
        }
    }

    @Test("a handler that is replaced under its name stands back, and goes on when the other has left")
    func replaced() async throws {
        let (clock, journal) = (ManualClock(), Journal<Int>())
        let streaming = try makeOrders(clock: clock, mail: { $0.handle { journal.add($0.number) } })
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...2)
            try await journal.wait(for: 2)
            try await streaming.settled("mail")
            try await streaming.withSubscription(to: "mail", as: "mail") { subscription in
                try await streaming.place(3...4)
                #expect(try await subscription.take(2) == (3...4).seen)
            }
            try await streaming.place(5...6)
            try await streaming.settled("mail", advancing: clock)
            #expect(journal.entries == [1, 2, 5, 6])
        }
    }
}
