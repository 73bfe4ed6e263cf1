import EventStreaming

/// A service with one stream, in memory, and one subscription to it.
enum Service {
    static let subscription = "benchmark"

    /// Runs `body` with a running service.
    static func run<Result: Sendable>(
        mode: SubscriptionMode = .exclusive,
        capacity: StreamCapacity = .automatic,
        _ body: @escaping @Sendable (EventStreaming) async throws -> Result
    ) async throws -> Result {
        let streaming = try EventStreaming(storage: .inMemory) { streaming in
            streaming.addStream(BenchmarkWorkflow.self) { stream in
                stream.capacity = capacity
            }
            streaming.addSubscription(subscription) { subscription in
                subscription.stream(BenchmarkWorkflow.self)
                subscription.mode = mode
            }
        }
        return try await withEventStreaming(streaming, body)
    }
}

extension EventStreaming {
    /// Measures one flow through the stream to one exclusive consumer, which is registered before and unregistered
    /// after.
    func rate(
        of count: Int,
        publish: @escaping @Sendable (EventEmitter) async throws -> Void,
        consume: @escaping @Sendable (Subscription) async throws -> Void
    ) async throws -> Double {
        let emitter = emitter
        return try await withSubscription(to: Service.subscription) { subscription in
            try await Flow.rate(of: count) {
                try await publish(emitter)
            } consume: {
                try await consume(subscription)
            }
        }
    }

    /// One publisher that emits batches of 128, one consumer that takes batches.
    func batchRate<E: BenchmarkEvent>(_ type: E.Type, count: Int) async throws -> Double {
        try await rate(of: count) { emitter in
            try await emitter.emit(type, count: count, inBatchesOf: Sizes.batch)
        } consume: { subscription in
            try await subscription.consumeBatches(type, Arrivals(of: count))
        }
    }

    /// One publisher that emits events one by one, one consumer that takes batches.
    func singleRate<E: BenchmarkEvent>(_ type: E.Type, count: Int) async throws -> Double {
        try await rate(of: count) { emitter in
            try await emitter.emit(type, count: count)
        } consume: { subscription in
            try await subscription.consumeBatches(type, Arrivals(of: count))
        }
    }
}

/// How much is done in one round.
enum Sizes {
    /// Events in a batch.
    static let batch = 128
    /// Events in a round; fewer than an ephemeral stream may hold, so that the publisher need not wait for the consumer.
    static let round = 2000 * batch
}
