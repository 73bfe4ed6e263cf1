import EventStreaming

extension Benchmark {
    static let inMemoryBatch = Benchmark(
        "inmemory-batch",
        "1 publisher, batches of 128, 1 exclusive consumer of batches, against AsyncStream one by one",
        target: .ratio(atLeast: 4)
    ) { rounds in
        try await compareBatches(of: PacketReceived.self, rounds)
    }

    static let inMemoryBatchMeasured = Benchmark(
        "inmemory-batch-measured",
        "as inmemory-batch, with an event that does not tell its size"
    ) { rounds in
        try await compareBatches(of: PacketMeasured.self, rounds)
    }

    static let inMemoryBatchText = Benchmark(
        "inmemory-batch-text",
        "as inmemory-batch, with an event of several fields and a text of 256 characters"
    ) { rounds in
        try await compareBatches(of: OrderPlaced.self, rounds)
    }

    static let inMemoryBatchSingleDelivery = Benchmark(
        "inmemory-batch-single-delivery",
        "as inmemory-batch, but the consumer takes one delivery after the other"
    ) { rounds in
        try await Service.run { streaming in
            @Sendable func measure() async throws -> Double {
                try await streaming.rate(of: Sizes.round) { emitter in
                    try await emitter.emit(PacketReceived.self, count: Sizes.round, inBatchesOf: Sizes.batch)
                } consume: { subscription in
                    try await subscription.consumeDeliveries(PacketReceived.self, Arrivals(of: Sizes.round))
                }
            }
            return try await rounds.compare(unit: "events/s") {
                try await measure()
            } with: {
                try await Flow.asyncStream(PacketReceived.self, count: Sizes.round)
            }.addingAllocations(per: Sizes.round) {
                _ = try await measure()
            }
        }
    }

    private static func compareBatches<E: BenchmarkEvent>(of type: E.Type, _ rounds: Rounds) async throws
        -> Measurement
    {
        try await Service.run { streaming in
            try await rounds.compare(unit: "events/s") {
                try await streaming.batchRate(type, count: Sizes.round)
            } with: {
                try await Flow.asyncStream(type, count: Sizes.round)
            }.addingAllocations(per: Sizes.round) {
                _ = try await streaming.batchRate(type, count: Sizes.round)
            }
        }
    }
}
