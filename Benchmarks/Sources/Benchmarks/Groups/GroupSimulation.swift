import EventStreaming
import EventStreamingConformance
import EventStreamingInMemory

extension Benchmark {
    static var groupSimulation: Benchmark {
        Benchmark(
            "group-simulation",
            "random histories of consumer groups that are checked, 400 calls each, a minute",
            target: Target("at least 10 000 a minute") { $0.value >= 10_000 }
        ) { rounds in
            let count: UInt64 = rounds.isFull ? 20_000 : 1000
            var first: UInt64 = 1
            return try await rounds.compare(unit: "histories/min") {
                let watch = Stopwatch()
                for seed in first..<first + count {
                    try await StoreConformance.groupSimulation(seeds: seed...seed).run {
                        InMemoryEventStreamStore(clock: $0, seed: seed)
                    }
                }
                first += count
                return watch.rate(of: Int(count)) * 60
            } with: {
                10_000
            }
        }
    }
}
