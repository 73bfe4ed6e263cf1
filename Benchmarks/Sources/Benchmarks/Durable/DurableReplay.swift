import AllocationCounter
import EventStreaming

extension DurableDatabase {
    static var replay: Benchmark {
        Benchmark(
            "\(name)-replay",
            "1 000 000 events of 256 bytes read in pages of 1000, against the same SELECT in C",
            target: .ratio(atLeast: 0.7)
        ) { rounds in
            let (count, page) = (1_000_000, 1000)
            return try await withEvents(count) { database in
                let stream = try await DurableStream(database.storage)
                return try await rounds.compare(unit: "events/s") {
                    try await stream.replay(count, inPagesOf: page)
                } with: {
                    try database.replay(count, inPagesOf: page)
                }.addingAllocations(per: count) {
                    _ = try await stream.replay(count, inPagesOf: page)
                }
            }
        }
    }

    static var memoryReplay: Benchmark {
        memory("replay", "are replayed") { database, count, progress in
            _ = try await DurableStream(database.storage).replay(count, inPagesOf: 1000, progress: progress)
        }
    }

    static var memoryConsume: Benchmark {
        memory("consume", "are consumed") { database, count, progress in
            try await DurableService.run(database.storage, subscriptions: 1) { streaming in
                _ = try await streaming.drain(count, of: DurableService.name(0), progress: progress)
            }
        }
    }

    private static func memory(
        _ work: String,
        _ description: String,
        _ body: @escaping @Sendable (Self, Int, @escaping @Sendable (Int) -> Void) async throws -> Void
    ) -> Benchmark {
        Benchmark(
            "\(name)-memory-\(work)",
            "the largest resident memory while 1 000 000 events \(description), against the smallest",
            target: Target("within ±10 %") { $0.value - $0.baseline <= 0.1 * ($0.value + $0.baseline) }
        ) { _ in
            let count = 1_000_000
            let samples = MemorySamples(of: count)
            try await withEvents(count) { database in
                heap_trim()
                try await body(database, count) { samples.progressed(to: $0) }
            }
            return try samples.measurement()
        }
    }
}
