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
            try await Pace(count: count, rate: rate).run { number in
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
