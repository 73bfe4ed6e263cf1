import EventStreamingCore
import EventStreamingTesting

enum LeaseChecks {
    static let all: [StoreCheck] = [
        StoreCheck("lease: new events are handed out in order and up to the limit") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.requireNothing(for: consumer)
            try await harness.append(10, to: stream)
            let first = try await harness.lease(0..<4, as: consumer)
            try requireEqual(first.holder, consumer, "holder")
            try require(first.needsSettlement && !first.isRedriven, "a new lease needs settlement, and is not redriven")
            try await harness.lease(4..<10, as: consumer, limit: 100)
            try await harness.requireNothing(for: consumer)
            try await harness.requirePosition(0, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 10, "in flight")
        },
        StoreCheck("lease: pieces of every size of a long stream") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let count: Int64 = 6000
            try await harness.append(100, to: stream)
            while try await harness.store.metadata(of: stream).head.rawValue < count {
                try await harness.append(737, to: stream)
            }
            let head = try await harness.store.metadata(of: stream).head.rawValue
            var random = SeededGenerator(seed: 1)
            var next: Int64 = 0
            while next < head {
                let limit = Int.random(in: 1...700, using: &random)
                let lease = try await harness.lease(as: consumer, limit: limit)
                let end = next + Int64(lease.events.count)
                try require((1...limit).contains(lease.events.count), "\(lease.events.count) events for \(limit)")
                try requireEqual(lease.offsets, offsets(next, end), "offsets of the lease")
                try requireEqual(lease.events.map(\.offset.rawValue), Array(next..<end), "offsets of its events")
                if Bool.random(using: &random) {
                    try await harness.store.release(lease)
                    let again = try await harness.lease(next..<end, as: consumer)
                    try await harness.store.acknowledge(again)
                } else {
                    try await harness.store.acknowledge(lease)
                }
                try await harness.requirePosition(end, of: subscription)
                next = end
            }
        },
        StoreCheck("lease: whole pieces of a stream whose beginning is gone") { harness in
            for (index, gone) in [1, 100, 255, 300, 1023].enumerated() {
                for limit in [64, 128, 256, 512, 1024] {
                    let name = "\(index)-\(limit)"
                    let dropping = try await harness.makeStream("dropped-\(name)", .ephemeral)
                    try await harness.append(gone, to: dropping)
                    let trimmed = try await harness.makeStream("trimmed-\(name)")
                    // Sizes that make it worth a store's while to free what was trimmed.
                    let large = harness.events(gone + 100).map { event in
                        NewEvent(id: event.id, type: event.type, payload: event.payload, size: 100_000)
                    }
                    _ = try await harness.store.enqueue(large, to: trimmed)
                    _ = try await harness.store.trim(trimmed, before: StreamOffset(Int64(gone)))
                    for stream in [dropping, trimmed] {
                        let subscription = try await harness.makeSubscription("sub-\(stream)", of: stream)
                        let consumer = try await harness.register("c1", of: subscription)
                        try await harness.append(1500, to: stream)
                        try await takeAll(harness, of: subscription, as: consumer, from: Int64(gone), limit: limit)
                    }
                }
            }
        },
        StoreCheck("lease: epochs grow") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(5, to: stream)
            var last: UInt64?
            for offset in 0..<Int64(5) {
                let lease = try await harness.lease(offset..<offset + 1, as: consumer)
                try require(last.map { $0 < lease.epoch } ?? true, "epoch \(lease.epoch) after \(last ?? 0)")
                last = lease.epoch
            }
        },
        StoreCheck("lease: nobody else gets leased events") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(6, to: stream)
            try await harness.lease(0..<3, as: first)
            try await harness.lease(3..<6, as: second, limit: 100)
            try await harness.requireNothing(for: first)
            try await harness.requireNothing(for: second)
        },
        StoreCheck("lease: limits below 1 are invalid") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            for limit in [0, -1, Int.min] {
                try await requireError(.invalidArgument, from: "dequeue with limit \(limit)") {
                    _ = try await harness.store.dequeue(as: consumer, limit: limit)
                }
            }
            try requireEqual(try await harness.progress(of: subscription).inFlight, 0, "in flight")
            try await harness.lease(0..<1, as: consumer, limit: .max)
        },
        StoreCheck("lease: at most once, events are finished when they are handed out") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.semantics = .atMostOnce }
            try await harness.append(5, to: stream)
            let lease = try await harness.lease(0..<3, as: consumer)
            try require(!lease.needsSettlement, "nothing to settle")
            try await harness.requirePosition(3, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 0, "in flight")
            harness.clock.advance(by: .seconds(3000))
            _ = try await harness.store.expireConsumers()
            try await harness.lease(3..<5, as: consumer)
            try await harness.store.unregisterConsumer(consumer)
            let next = try await harness.register("c1", of: subscription)
            try await harness.requireNothing(for: next)
            try requireEqual(try await harness.progress(of: subscription).isFinished, true, "finished")
        },
        StoreCheck("lease: an answer without events tells when to come back") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try requireEqual(try await harness.requireNothing(for: first), nil, "nothing is due at any time")
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<1, as: first)
            let retry = try await harness.lease(1..<2, as: first)
            try await harness.store.nack(retry.offsets, of: retry, action: .retry(after: .seconds(5)), reason: "no")
            let due = try await harness.requireNothing(for: second)
            try requireEqual(due, .seconds(5), "when the retry is due")
            try await harness.store.acknowledge(lease)
        },
        StoreCheck("lease: who comes back when told to gets everything") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(3, to: stream)
            _ = try await harness.lease(0..<1, as: first)
            let failed = try await harness.lease(1..<2, as: first)
            try await harness.store.nack(failed.offsets, of: failed, reason: "no")
            _ = try await harness.lease(2..<3, as: first)
            var done: Set<Int64> = []
            var rounds = 0
            while done.count < 3 {
                rounds += 1
                try require(rounds < 50, "only \(done.sorted()) came back")
                switch try await harness.store.dequeue(as: second, limit: 1) {
                case .lease(let lease):
                    done.formUnion(lease.events.map(\.offset.rawValue))
                    try await harness.store.acknowledge(lease)
                case .empty(let until):
                    guard let until else {
                        throw ConformanceFailure(message: "no time to come back at", file: #fileID, line: #line)
                    }
                    try require(until > harness.clock.uptime, "the time to come back at lies in the past")
                    harness.clock.advance(by: until - harness.clock.uptime)
                }
            }
            try await harness.requirePosition(3, of: subscription)
        },
        StoreCheck("lease: an unregistered name cannot consume") { harness in
            let (_, subscription, consumer) = try await harness.makeQueue()
            let stranger = ConsumerRegistration(
                subscription: subscription.id,
                consumer: try ConsumerID("stranger"),
                epoch: consumer.epoch
            )
            try await requireError(.unknownConsumer, from: "dequeue as a stranger") {
                _ = try await harness.store.dequeue(as: stranger, limit: 1)
            }
            try await requireError(.unknownConsumer, from: "heartbeat of a stranger") {
                try await harness.store.heartbeat(stranger, extending: .all)
            }
            try await requireError(.unknownConsumer, from: "unregistering a stranger") {
                try await harness.store.unregisterConsumer(stranger)
            }
        },
    ]

    /// Finishes everything from an offset to the end, and makes sure that no event is left out on the way.
    private static func takeAll(
        _ harness: StoreHarness,
        of subscription: SubscriptionDefinition,
        as consumer: ConsumerRegistration,
        from first: Int64,
        limit: Int
    ) async throws {
        let head = try await harness.store.metadata(of: subscription.stream).head.rawValue
        var next = first
        while next < head {
            let lease = try await harness.lease(as: consumer, limit: limit)
            let end = next + Int64(lease.events.count)
            try require((1...limit).contains(lease.events.count), "\(lease.events.count) events for \(limit)")
            try requireEqual(lease.offsets, offsets(next, end), "offsets of a lease from \(first)")
            try requireEqual(lease.events.map(\.offset.rawValue), Array(next..<end), "offsets of its events")
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(end, of: subscription)
            next = end
        }
    }
}
