import EventStreaming
import EventStreamingInMemory
import Synchronization

extension Benchmark {
    static var groupScaling: Benchmark {
        Benchmark(
            "group-scaling",
            "a group's handler that computes for 200 µs, with 2 members, against 1 member",
            target: .ratio(atLeast: 1.8)
        ) { rounds in
            let count = rounds.isFull ? 40_000 : 10_000
            let work = Computation(microseconds: 200)
            return try await rounds.compare(unit: "events/s") {
                try await handle(count, members: 2, work)
            } with: {
                try await handle(count, members: 1, work)
            }
        }
    }

    private static func handle(_ count: Int, members: Int, _ work: Computation) async throws -> Double {
        let store = InMemoryEventStreamStore()
        let handled = Atomic(0)
        let storage = EventStreamingStorage { _ in store }
        let streams = try (0..<members).map { _ in
            try GroupMember.make(storage, partitions: 32) { subscription in
                subscription.prefetch = 64
                subscription.handle(KeyedPacket.self) { _, _ in
                    work.run()
                    handled.add(1, ordering: .relaxed)
                }
            }
        }
        return try await GroupMember.run(streams) { streaming in
            try await streaming.waitForOwners(members)
            let watch = Stopwatch()
            for first in stride(from: 0, to: count, by: 500) {
                try await streaming.emitter.emit((first..<first + 500).map { KeyedPacket(key: $0 % 320, number: $0) })
            }
            while handled.load(ordering: .relaxed) < count {
                guard watch.seconds < 120 else { throw Problem("Not all of \(count) events were handled.") }
                try await Task.sleep(for: .milliseconds(1))
            }
            return watch.rate(of: count)
        }
    }
}

/// Work for the processor that takes as long as was asked for when it is alone.
struct Computation: Sendable {
    private let steps: Int

    init(microseconds: Double) {
        let trial = 2_000_000
        var fastest = Double.infinity
        for _ in 0..<5 {
            let watch = Stopwatch()
            Self.compute(trial)
            fastest = min(fastest, watch.seconds)
        }
        steps = max(1, Int(Double(trial) * microseconds / 1e6 / fastest))
    }

    func run() {
        Self.compute(steps)
    }

    /// Where results go, so that nobody finds out that they are not needed.
    private static let result = Atomic<UInt64>(0)

    @inline(never)
    private static func compute(_ steps: Int) {
        var state = result.load(ordering: .relaxed) | 1
        for _ in 0..<steps {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
        }
        result.store(state, ordering: .relaxed)
    }
}
