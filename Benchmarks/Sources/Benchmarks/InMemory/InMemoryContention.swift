import EventStreaming

extension Benchmark {
    static let inMemoryContention = Benchmark(
        "inmemory-contention",
        "32 publishers on one stream that wait for each emit, 1 consumer, against inmemory-single",
        target: .ratio(atLeast: 0.7)
    ) { rounds in
        try await Service.run { streaming in
            @Sendable func measure() async throws -> Double {
                try await streaming.rate(of: Sizes.round) { emitter in
                    try await publish(emitter, publishers: 32, each: Sizes.round / 32)
                } consume: { subscription in
                    let arrivals = Arrivals(of: Sizes.round, publishers: 32)
                    try await subscription.consumeBatches(PacketReceived.self, arrivals)
                }
            }
            return try await rounds.compare(unit: "events/s") {
                try await measure()
            } with: {
                try await streaming.singleRate(PacketReceived.self, count: Sizes.round)
            }.addingAllocations(per: Sizes.round) {
                _ = try await measure()
            }
        }
    }
}

private func publish(_ emitter: EventEmitter, publishers: Int, each count: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for publisher in 0..<publishers {
            group.addTask {
                try await emitter.emit(PacketReceived.self, count: count, as: publisher)
            }
        }
        for try await _ in group {}
    }
}
