import EventStreaming

/// Events on their way from publishers to a consumer, and how they travel.
enum Flow {
    /// Runs a publisher and a consumer next to each other; returns how many of `count` deliveries there were a second.
    static func rate(
        of count: Int,
        publish: @escaping @Sendable () async throws -> Void,
        consume: @escaping @Sendable () async throws -> Void
    ) async throws -> Double {
        let watch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consume() }
            group.addTask { try await publish() }
            for try await _ in group {}
        }
        return watch.rate(of: count)
    }

    /// An `AsyncStream`, one task that yields and one that consumes: the baseline.
    static func asyncStream<E: BenchmarkEvent>(_ type: E.Type, count: Int) async throws -> Double {
        let (stream, continuation) = AsyncStream<E>.makeStream()
        return try await rate(of: count) {
            for number in 0..<count {
                continuation.yield(E(Label(number: number)))
            }
            continuation.finish()
        } consume: {
            var arrivals = Arrivals(of: count)
            for await event in stream {
                try arrivals.add(event.label)
            }
            try arrivals.finish()
        }
    }
}

// MARK: - Publishing

extension EventEmitter {
    /// Emits `count` events in batches.
    func emit<E: BenchmarkEvent>(_ type: E.Type, count: Int, inBatchesOf size: Int) async throws {
        for begin in stride(from: 0, to: count, by: size) {
            var batch: [E] = []
            batch.reserveCapacity(size)
            for number in begin..<min(count, begin + size) {
                batch.append(E(Label(number: number)))
            }
            try await emit(batch)
        }
    }

    /// Emits `count` events one by one, each after the one before was accepted.
    func emit<E: BenchmarkEvent>(_ type: E.Type, count: Int, as publisher: Int = 0) async throws {
        for number in 0..<count {
            try await emit(E(Label(publisher: publisher, number: number)))
        }
    }
}

// MARK: - Consuming

extension Subscription {
    /// Consumes batches until all events are there and acknowledged.
    func consumeBatches<E: BenchmarkEvent>(_ type: E.Type, _ arrivals: Arrivals) async throws {
        var arrivals = arrivals
        for try await batch in batches {
            for delivery in batch {
                try arrivals.add(delivery.event(as: type)?.label)
            }
            if arrivals.areComplete {
                return try await batch.acknowledge()
            }
        }
        try arrivals.finish()
    }

    /// Consumes one delivery after the other until all events are there and acknowledged.
    func consumeDeliveries<E: BenchmarkEvent>(_ type: E.Type, _ arrivals: Arrivals) async throws {
        var arrivals = arrivals
        for try await delivery in self {
            try arrivals.add(delivery.event(as: type)?.label)
            if arrivals.areComplete {
                return try await delivery.acknowledge()
            }
        }
        try arrivals.finish()
    }
}
