import EventStreaming

extension Benchmark {
    static let inMemoryFanout = Benchmark(
        "inmemory-fanout",
        "1 publisher, batches of 128, 10 broadcast consumers, all deliveries, against inmemory-batch",
        target: .ratio(atLeast: 1.5)
    ) { rounds in
        try await Service.run(mode: .broadcast) { broadcast in
            try await Service.run { exclusive in
                try await rounds.compare(unit: "deliveries/s") {
                    try await broadcast.fanoutRate(consumers: 10, count: Sizes.round)
                } with: {
                    try await exclusive.batchRate(PacketReceived.self, count: Sizes.round)
                }.addingAllocations(per: 10 * Sizes.round) {
                    _ = try await broadcast.fanoutRate(consumers: 10, count: Sizes.round)
                }
            }
        }
    }
}

extension EventStreaming {
    /// One publisher that emits batches of 128 to so many consumers, each of which gets every event.
    fileprivate func fanoutRate(consumers: Int, count: Int) async throws -> Double {
        let emitter = emitter
        return try await withConsumers(consumers) { subscriptions in
            try await Flow.rate(of: consumers * count) {
                try await emitter.emit(PacketReceived.self, count: count, inBatchesOf: Sizes.batch)
            } consume: {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for subscription in subscriptions {
                        group.addTask {
                            try await subscription.consumeBatches(PacketReceived.self, Arrivals(of: count))
                        }
                    }
                    for try await _ in group {}
                }
            }
        }
    }

    /// Calls `body` with so many registered temporary consumers, which begin at the latest event.
    private func withConsumers<Result>(
        _ count: Int,
        _ subscriptions: [Subscription] = [],
        _ body: ([Subscription]) async throws -> Result
    ) async throws -> Result {
        guard subscriptions.count < count else { return try await body(subscriptions) }
        return try await withSubscription(to: Service.subscription, from: .latest) { subscription in
            try await withConsumers(count, subscriptions + [subscription], body)
        }
    }
}
