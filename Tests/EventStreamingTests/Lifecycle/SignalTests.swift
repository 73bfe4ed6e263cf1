import EventStreaming
import EventStreamingCore
import EventStreamingTesting
import Synchronization
import Testing

@Suite("Waiting for something to change", .timeLimit(.minutes(2)))
struct SignalTests {
    private let signal = Signal()
    private let clock = ManualClock()

    /// Has several wait until 5 seconds have passed, and returns when all of them were let go after `body`.
    private func wait(_ count: Int = 3, _ body: (inout ThrowingTaskGroup<Void, any Error>) async throws -> Void)
        async throws
    {
        let (signal, clock, version) = (signal, clock, signal.version)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask { await signal.wait(since: version, until: .seconds(5), clock: clock) }
            }
            try await clock.waitForSleepers(count)
            try await body(&group)
            try await group.waitForAll()
        }
        #expect(clock.sleeperCount == 0)
    }

    @Test("a change ends a wait before its time, and nobody is left asleep")
    func change() async throws {
        try await wait { _ in signal.notify() }
        #expect(clock.uptime < .seconds(5))
    }

    @Test("time ends a wait when it has come, and not before")
    func deadline() async throws {
        try await wait { _ in
            clock.advance(by: .seconds(4))
            #expect(clock.sleeperCount == 3)
            clock.advance(by: .seconds(1))
        }
    }

    @Test("cancellation ends a wait")
    func cancellation() async throws {
        try await wait { $0.cancelAll() }
    }

    @Test("who comes too late does not wait")
    func late() async {
        let version = signal.version
        signal.notify()
        await signal.wait(since: version)
        await signal.wait(since: version, until: .seconds(5), clock: clock)
        await signal.wait(since: signal.version, until: .zero, clock: clock)
        #expect(clock.sleeperCount == 0)
    }

    @Test("changes, times and cancellations that meet let everybody go, and leave nothing behind")
    func races() async {
        let clock = SystemClock()
        await withTaskGroup(of: Void.self) { group in
            for waiter in 0..<8 {
                group.addTask {
                    for round in 0..<500 {
                        let version = signal.version
                        let deadline = clock.uptime + .microseconds(20 * (waiter + round) % 200)
                        await withTaskGroup(of: Void.self) { group in
                            group.addTask { await signal.wait(since: version, until: deadline, clock: clock) }
                            if round.isMultiple(of: 3) { group.cancelAll() }
                        }
                    }
                }
            }
            group.addTask {
                for _ in 0..<2000 {
                    signal.notify()
                    await Task.yield()
                }
            }
        }
        #expect(signal.isIdle)
    }
}
