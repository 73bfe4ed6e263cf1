import EventStreamingCore

enum ExclusiveChecks {
    static let all: [StoreCheck] = [
        StoreCheck("exclusive: there is one shared position") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            _ = try await harness.register("c2", of: subscription)
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: first)
            try await harness.store.acknowledge(lease)
            let progress = try await harness.store.progress(of: subscription.id)
            try requireEqual(progress.map(\.consumer), [nil], "positions")
            try requireEqual(progress.map(\.position.rawValue), [2], "position")
        },
        StoreCheck("exclusive: subscriptions of one stream are independent") { harness in
            let (stream, first, one) = try await harness.makeQueue()
            let second = try await harness.makeSubscription("other", of: stream)
            let two = try await harness.register("c1", of: second)
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: one)
            try await harness.store.acknowledge(lease)
            try await harness.lease(0..<2, as: two)
            try await harness.requirePosition(2, of: first)
            try await harness.requirePosition(0, of: second)
        },
        StoreCheck("exclusive: each event goes to exactly one of many tasks") { harness in
            try await compete(harness, semantics: .atLeastOnce)
        },
        StoreCheck("exclusive: at most once, each event goes to exactly one of many tasks") { harness in
            try await compete(harness, semantics: .atMostOnce)
        },
        StoreCheck("exclusive: a temporary consumer that leaves takes nothing with it") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream)
            let first = try await harness.register("c1", of: subscription, kind: .temporary)
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<2, as: first)
            try await harness.store.acknowledge(offsets(0, 1), of: lease)
            try await harness.store.unregisterConsumer(first)
            try await harness.requirePosition(1, of: subscription)
            let second = try await harness.register("c2", of: subscription, kind: .temporary)
            try await harness.lease(1..<2, as: second, attempt: 2)
            try await harness.lease(2..<3, as: second)
        },
    ]

    /// Eight tasks consume while two append.
    private static func compete(_ harness: StoreHarness, semantics: DeliverySemantics) async throws {
        let stream = try await harness.makeStream()
        let subscription = try await harness.makeSubscription(of: stream) { $0.semantics = semantics }
        let total = 600
        let delivered = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<total / 20 {
                        try await harness.append(10, to: stream)
                    }
                    return []
                }
            }
            for number in 0..<8 {
                group.addTask {
                    let consumer = try await harness.register("c\(number)", of: subscription)
                    return try await consume(harness, as: consumer, of: subscription, until: Int64(total))
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try requireEqual(delivered.count, total, "number of deliveries")
        try requireEqual(delivered.sorted(), (0..<Int64(total)).map { $0 }, "events delivered")
        let progress = try await harness.progress(of: subscription)
        try require(progress.isFinished, "finished: \(progress)")
    }

    private static func consume(
        _ harness: StoreHarness,
        as consumer: ConsumerRegistration,
        of subscription: SubscriptionDefinition,
        until total: Int64
    ) async throws -> [Int64] {
        var delivered: [Int64] = []
        for _ in 0..<200_000 {
            switch try await harness.store.dequeue(as: consumer, limit: 7) {
            case .lease(let lease):
                try require(lease.attempt == 1, "nothing failed, so every delivery is the first")
                delivered += lease.events.map(\.offset.rawValue)
                if lease.needsSettlement {
                    try await harness.store.acknowledge(lease)
                }
            case .empty:
                if try await harness.progress(of: subscription).position.rawValue == total {
                    return delivered
                }
                await Task.yield()
            }
        }
        throw ConformanceFailure(message: "the position does not reach the end", file: #fileID, line: #line)
    }
}
