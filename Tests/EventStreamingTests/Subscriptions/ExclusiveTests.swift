import EventStreaming
import EventStreamingTesting
import Testing

@Suite("Exclusive: each event goes to one of the competing consumers", .timeLimit(.minutes(5)))
struct ExclusiveTests {
    private func makeService(_ type: StreamType = .persistent) throws -> EventStreaming {
        try makeOrders(
            type,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.prefetch = 8
            }
        )
    }

    @Test("consumers that compete get every event exactly once together", arguments: StreamType.allCases)
    func eachExactlyOnce(_ type: StreamType) async throws {
        let (streaming, journal) = (try makeService(type), Journal<Seen>())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<4 {
                group.addTask {
                    for try await delivery in try streaming.subscribe(to: "mail", as: "worker-\(index)") {
                        journal.add(Seen(delivery))
                    }
                }
            }
            for begin in stride(from: 0, to: 2000, by: 50) {
                try await streaming.place(begin..<begin + 50)
            }
            try await journal.wait(for: 2000)
            group.cancelAll()
            while let result = await group.nextResult() {
                #expect(throws: EventStreamingError.self) { try result.get() }
            }
        }
        #expect(journal.entries.sorted { $0.number < $1.number } == (0..<2000).seen)
    }

    enum Leaving: CaseIterable {
        case breaking, throwing, cancelling
    }

    @Test("a waiting consumer takes over at once, running or not", arguments: Leaving.allCases, [false, true])
    func takesOver(_ leaving: Leaving, isRunning: Bool) async throws {
        let clock = ManualClock()
        let streaming = try makeOrders(clock: clock, mail: { $0.mode = .exclusive })
        if isRunning {
            try await withEventStreaming(streaming) { try await takeOver(leaving, $0, clock, sleepers: 2) }
        } else {
            try await takeOver(leaving, streaming, clock, sleepers: 1)
        }
        #expect(clock.uptime == .zero)
    }

    private func takeOver(
        _ leaving: Leaving, _ streaming: EventStreaming, _ clock: ManualClock, sleepers: Int
    ) async throws {
        let (hasEvent, mayLeave) = (Latch(), Latch())
        try await streaming.place(1...3)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hold(streaming, leaving, hasEvent, mayLeave) }
            try await inTime { try await hasEvent.wait() }
            let attempt = leaving == .cancelling ? 1 : 2
            group.addTask {
                let seen = try await streaming.take(3, as: "second")
                #expect(Set(seen) == [Seen(1, attempt: attempt), Seen(2), Seen(3)])
            }
            // The second one has looked, and found nothing.
            try await inTime { try await clock.waitForSleepers(sleepers) }
            mayLeave.open()
            try await group.waitForAll()
        }
    }

    /// Takes one event, and leaves as it is told.
    private func hold(
        _ streaming: EventStreaming, _ leaving: Leaving, _ hasEvent: Latch, _ mayLeave: Latch
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await errorCode {
                    for try await delivery in try streaming.subscribe(to: "mail", as: "first") {
                        #expect(Seen(delivery) == Seen(1))
                        hasEvent.open()
                        try await (leaving == .cancelling ? Latch() : mayLeave).wait()
                        if leaving == .throwing { throw Failure() }
                        break
                    }
                }
            }
            if leaving == .cancelling {
                _ = await errorCode { try await mayLeave.wait() }
                group.cancelAll()
            }
        }
    }

    @Test("a handler shares the work with loops")
    func handlerAndLoop() async throws {
        let (journal, latch) = (Journal<Int>(), Latch())
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.prefetch = 1
                subscription.handle { delivery in
                    journal.add(delivery.number)
                    try await latch.wait()
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            try await journal.wait(for: 1)
            try await streaming.place(2...5)
            #expect(try await streaming.take(4, as: "loop") == (2...5).seen)
            latch.open()
            try await streaming.wait { try await $0.position()?.isFinished == true }
            #expect(journal.entries == [1])
        }
    }
}
