import EventStreaming

extension Benchmark {
    static let inMemorySingle = Benchmark(
        "inmemory-single",
        "1 publisher that waits for each emit, 1 exclusive consumer, against AsyncStream",
        target: .ratio(atLeast: 1)
    ) { rounds in
        try await Service.run { streaming in
            try await rounds.compare(unit: "events/s") {
                try await streaming.singleRate(PacketReceived.self, count: Sizes.round)
            } with: {
                try await Flow.asyncStream(PacketReceived.self, count: Sizes.round)
            }.addingAllocations(per: Sizes.round) {
                _ = try await streaming.singleRate(PacketReceived.self, count: Sizes.round)
            }
        }
    }
}
