import EventStreamingCore
import EventStreamingTesting
import Testing

@Suite("ManualClock")
struct ManualClockTests {
    @Test("stands still until it is advanced, and then both readings move")
    func advancing() {
        let clock = ManualClock()
        #expect(clock.now.description == "2026-01-01T00:00:00.000Z")
        #expect(clock.uptime == .zero)
        clock.advance(by: .milliseconds(1500))
        #expect(clock.now.description == "2026-01-01T00:00:01.500Z")
        #expect(clock.uptime == .milliseconds(1500))
    }

    @Test("never goes back and never overflows")
    func hostileDurations() {
        let clock = ManualClock()
        clock.advance(by: .seconds(-5))
        #expect(clock.uptime == .zero)
        for _ in 0..<4 {
            clock.advance(by: .seconds(Int64.max))
        }
        #expect(clock.now.nanosecondsSinceEpoch == .max)
        #expect(clock.uptime == .seconds(Int64.max / 2))
        clock.advance(by: .seconds(Int64.min))
        #expect(clock.uptime == .seconds(Int64.max / 2))
    }

    @Test("setting the wall clock moves nothing else")
    func wallClock() async throws {
        let clock = ManualClock()
        let task = Task { try await clock.sleep(until: .seconds(10)) }
        try await clock.waitForSleepers(1)
        clock.setWallClock(to: clock.now + .seconds(86_400))
        clock.setWallClock(to: Timestamp(nanosecondsSinceEpoch: 0))
        #expect(clock.uptime == .zero)
        #expect(clock.sleeperCount == 1)
        clock.advance(by: .seconds(10))
        try await task.value
        #expect(clock.now == Timestamp(nanosecondsSinceEpoch: 10_000_000_000))
    }

    @Test("a deadline that is reached does not suspend")
    func reachedDeadline() async throws {
        let clock = ManualClock()
        try await clock.sleep(until: .zero)
        try await clock.sleep(until: .seconds(-1))
        clock.advance(by: .seconds(3))
        try await clock.sleep(until: .seconds(3))
        #expect(clock.sleeperCount == 0)
    }

    @Test("wakes exactly those whose deadline is reached, and tells the next one")
    func wakesByDeadline() async throws {
        let clock = ManualClock()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for second in [5, 1, 3, 2, 4] {
                group.addTask {
                    try await clock.sleep(until: .seconds(second))
                    return second
                }
            }
            try await clock.waitForSleepers(5)
            for second in 1...5 {
                #expect(clock.nextDeadline == .seconds(second))
                clock.advance(by: .milliseconds(999))
                #expect(clock.sleeperCount == 6 - second)
                clock.advance(by: .milliseconds(1))
                #expect(clock.sleeperCount == 5 - second)
                #expect(try await group.next() == second)
            }
        }
        #expect(clock.nextDeadline == nil)
    }

    @Test("a sleeping task throws as soon as it is cancelled, and is forgotten")
    func cancelWhileAsleep() async throws {
        let clock = ManualClock()
        let task = Task { try await clock.sleep(until: .seconds(1)) }
        try await clock.waitForSleepers(1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeperCount == 0)
        clock.advance(by: .seconds(2))
    }

    @Test("a task that was cancelled before does not sleep at all")
    func cancelBefore() async {
        let clock = ManualClock()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await clock.sleep(until: .seconds(1))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test("waiting for sleepers can be cancelled")
    func cancelWaiting() async {
        let clock = ManualClock()
        let task = Task { try await clock.waitForSleepers(1) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("waiting for no sleepers returns at once")
    func waitForNone() async throws {
        let clock = ManualClock()
        try await clock.waitForSleepers(0)
        try await clock.waitForSleepers(.min)
    }

    @Test("cancelling and advancing at the same time answers every sleeper exactly once")
    func racing() async throws {
        let clock = ManualClock()
        for round in 0..<200 {
            let tasks = (0..<8).map { _ in
                Task { try await clock.sleep(until: .seconds(round + 1)) }
            }
            let canceller = Task {
                for task in tasks {
                    task.cancel()
                }
            }
            clock.advance(by: .seconds(1))
            await canceller.value
            for task in tasks {
                _ = await task.result
            }
            #expect(clock.sleeperCount == 0)
        }
    }
}
