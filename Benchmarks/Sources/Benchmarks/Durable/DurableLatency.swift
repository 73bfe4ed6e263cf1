import EventStreaming
import Synchronization

extension DurableDatabase {
    static var latency: Benchmark {
        Benchmark(
            "\(name)-latency",
            "from emitting to the handler at 1000 events a second, the median, against one durable commit in C",
            target: Target("at most 2 × baseline") { $0.ratio <= 2 }
        ) { rounds in
            let (count, rate) = (2000, 1000)
            let slowest = Mutex<(value: [Double], baseline: [Double])>(([], []))
            var result = try await rounds.compare(unit: "us") {
                let latency = try await withEmpty { database in
                    try await measure(count, rate: rate, through: database.storage)
                }
                slowest.withLock { $0.value.append(latency.slowest) }
                return latency.median
            } with: {
                let latency = try await withEmptyTables { try $0.commitLatency(count, rate: rate) }
                slowest.withLock { $0.baseline.append(latency.slowest) }
                return latency.median
            }
            let (value, baseline) = slowest.withLock { ($0.value.median, $0.baseline.median) }
            result.extras += [("p99", value), ("baseline-p99", baseline)]
            return result
        }
    }

    /// Emits one event after the other at the rate, or slower where a commit takes too long.
    private static func measure(
        _ count: Int,
        rate: Int,
        through storage: EventStreamingStorage
    ) async throws -> Latency {
        let times = Times(count: count)
        let handle = { @Sendable (packet: StoredPacket) in times.end(packet.label.number) }
        try await DurableService.run(storage, subscriptions: 1, handle: handle) { streaming in
            let clock = ContinuousClock()
            let began = clock.now
            for number in 0..<count {
                try await Task.sleep(until: began + .seconds(number) / rate, tolerance: .zero, clock: clock)
                let packet = StoredPacket(Label(number: number))
                times.begin(number)
                try await streaming.emitter.emit(packet)
            }
            for _ in 0..<1000 where !times.areComplete {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        return try times.latency()
    }
}

/// When each event was emitted, and how long it took then.
private final class Times: Sendable {
    private struct State {
        var began: [ContinuousClock.Instant?]
        var taken: [Double] = []
    }

    private let state: Mutex<State>
    private let count: Int

    init(count: Int) {
        self.count = count
        state = Mutex(State(began: Array(repeating: nil, count: count)))
    }

    var areComplete: Bool { state.withLock { $0.taken.count == count } }

    func begin(_ number: Int) {
        state.withLock { $0.began[number] = .now }
    }

    func end(_ number: Int) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard state.began.indices.contains(number), let began = state.began[number] else { return }
            state.began[number] = nil
            state.taken.append(Double((now - began).components.attoseconds) / 1e12)
        }
    }

    /// The first tenth is the warm-up.
    func latency() throws -> Latency {
        let taken = state.withLock { $0.taken }
        guard taken.count == count else { throw Problem("\(taken.count) events arrived instead of \(count).") }
        return Latency(of: Array(taken.dropFirst(count / 10)))
    }
}
