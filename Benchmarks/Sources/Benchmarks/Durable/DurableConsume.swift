import EventStreaming
import Synchronization

extension DurableDatabase {
    static func consume(consumers: Int) -> Benchmark {
        Benchmark(
            consumers == 1 ? "\(name)-consume" : "\(name)-consume-\(consumers)",
            "events in batches of 100 to \(consumers) exclusive, acknowledged durably, against C: pages and a cursor",
            target: .ratio(atLeast: 0.6)
        ) { rounds in
            let count = rounds.isFull ? 500_000 : 200_000
            return try await withEvents(count) { database in
                try await drainings(database, rounds) { streaming, subscription in
                    consumers == 1
                        ? try await streaming.drain(count, of: subscription).rate
                        : try await streaming.drainAll(count, of: subscription, consumers: consumers)
                } with: {
                    try database.consume(
                        count,
                        inPagesOf: DurableService.batch,
                        readers: consumers,
                        eachReadsAll: false
                    )
                }
            }
        }
    }

    static var fanout: Benchmark {
        Benchmark(
            "\(name)-fanout",
            "10 broadcast consumers of one stream, batches of 100, acknowledged durably, against 10 readers in C",
            target: .ratio(atLeast: 0.5)
        ) { rounds in
            let (count, consumers) = (rounds.isFull ? 100_000 : 20_000, 10)
            return try await withEvents(count) { database in
                try await drainings(database, rounds, mode: .broadcast) { streaming, subscription in
                    try await streaming.fanOut(count, of: subscription, consumers: consumers)
                } with: {
                    try database.consume(
                        count,
                        inPagesOf: DurableService.batch,
                        readers: consumers,
                        eachReadsAll: true
                    )
                }
            }
        }
    }

    // MARK: - What must not slow it down

    static var consumeBacklog: Benchmark {
        steady(
            "backlog",
            "as consume, the first events of a backlog of 1 000 000 (--full: 5 000 000), against a small backlog"
        ) { rounds, count, small in
            try await withEvents(rounds.isFull ? 5_000_000 : 1_000_000) { database in
                try await drainings(database, rounds) { streaming, subscription in
                    try await streaming.drain(count, of: subscription).rate
                } with: {
                    try await small()
                }
            }
        }
    }

    static var consumeConsumed: Benchmark {
        steady(
            "consumed",
            "as consume, after 400 000 (--full: 1 000 000) were consumed, against a small backlog"
        ) { rounds, count, small in
            let consumed = rounds.isFull ? 1_000_000 : 400_000
            // A round takes up to a batch more than it should.
            let rest = (rounds.count + 1) * (count + DurableService.batch)
            return try await withEvents(consumed + rest) { database in
                try await DurableService.run(database.storage, subscriptions: 1) { streaming in
                    let name = DurableService.name(0)
                    var next = try await streaming.drain(consumed, of: name).count
                    return try await rounds.compare(unit: "events/s") {
                        let (rate, taken) = try await streaming.drain(count, of: name, from: next)
                        next += taken
                        return rate
                    } with: {
                        try await small()
                    }
                }
            }
        }
    }

    static var consumeSnapshot: Benchmark {
        steady("snapshot", "as consume, while an old snapshot is held open, against none") { rounds, count, small in
            // The baseline is measured in another database, where no snapshot is open.
            try await withEvents(count) { database in
                try await database.withOldSnapshot {
                    try await drainings(database, rounds) { streaming, subscription in
                        try await streaming.drain(count, of: subscription).rate
                    } with: {
                        try await small()
                    }
                }
            }
        }
    }

    /// Compares draining under some condition with draining a small backlog of `count` events, also by the engine.
    private static func steady(
        _ suffix: String,
        _ summary: String,
        _ body:
            @escaping @Sendable (Rounds, Int, @escaping @Sendable () async throws -> Double) async throws ->
            Measurement
    ) -> Benchmark {
        Benchmark("\(name)-consume-\(suffix)", summary, target: .ratio(atLeast: 0.85)) { rounds in
            let count = rounds.isFull ? 500_000 : 100_000
            return try await withEvents(count) { database in
                try await DurableService.run(database.storage, subscriptions: rounds.count + 1) { streaming in
                    let turn = Atomic(0)
                    return try await body(rounds, count) {
                        let subscription = DurableService.name(turn.add(1, ordering: .relaxed).oldValue)
                        return try await streaming.drain(count, of: subscription).rate
                    }
                }
            }
        }
    }

    /// Compares with a service that has a new subscription for every round.
    private static func drainings(
        _ database: Self,
        _ rounds: Rounds,
        mode: SubscriptionMode = .exclusive,
        _ value: @escaping @Sendable (EventStreaming, String) async throws -> Double,
        with baseline: @escaping @Sendable () async throws -> Double
    ) async throws -> Measurement {
        try await DurableService.run(database.storage, subscriptions: rounds.count + 1, mode: mode) { streaming in
            var turn = 0
            return try await rounds.compare(unit: "events/s") {
                defer { turn += 1 }
                return try await value(streaming, DurableService.name(turn))
            } with: {
                try await baseline()
            }
        }
    }
}
