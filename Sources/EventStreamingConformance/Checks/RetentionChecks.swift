import EventStreamingCore
import EventStreamingTesting

enum RetentionChecks {
    static let all: [StoreCheck] = [
        StoreCheck("ephemeral: an event goes when every subscription has finished with it") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let first = try await harness.makeSubscription("first", of: stream)
            let second = try await harness.makeSubscription("second", of: stream)
            let one = try await harness.register("c1", of: first)
            let two = try await harness.register("c1", of: second)
            try await harness.append(4, to: stream)
            let all = try await harness.lease(0..<4, as: one)
            try await harness.store.acknowledge(all)
            try await keeps(harness, stream, 0, 4)
            let some = try await harness.lease(0..<3, as: two)
            try await harness.store.acknowledge(offsets(1, 2), of: some)
            try await keeps(harness, stream, 0, 4)
            try await harness.store.acknowledge(offsets(0, 1), of: some)
            try await keeps(harness, stream, 2, 4)
            try await harness.store.acknowledge(offsets(2, 3), of: some)
            try await keeps(harness, stream, 3, 4)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 0, "dropped")
        },
        StoreCheck("ephemeral: without subscribers events are dropped and counted") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let result = try await harness.store.enqueue(harness.events(3), to: stream)
            try requireEqual(result.offsets, offsets(0, 3), "offsets")
            try await keeps(harness, stream, 3, 3)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 3, "dropped")
            try requireEqual(try await harness.store.metadata(of: stream).bytes, 0, "bytes")
            let subscription = try await harness.makeSubscription(of: stream)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.requireNothing(for: consumer)
            try await harness.append(2, to: stream)
            try await harness.lease(3..<5, as: consumer)
        },
        StoreCheck("ephemeral: a queue waits for its competing consumers") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream)
            try await harness.append(3, to: stream)
            try await keeps(harness, stream, 0, 3)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.lease(0..<3, as: consumer)
        },
        StoreCheck("ephemeral: a broadcast without consumers waits for nothing") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            try await harness.append(2, to: stream)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 2, "dropped")
            let durable = try await harness.register("durable", of: subscription)
            try await harness.store.unregisterConsumer(durable)
            try await harness.append(2, to: stream)
            try await keeps(harness, stream, 2, 4)
            let removed = try await harness.store.removeConsumer(durable.consumer, of: subscription.id)
            try require(removed, "there was a consumer")
            try await keeps(harness, stream, 4, 4)
        },
        StoreCheck("ephemeral: a temporary consumer that leaves no longer keeps events") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let stays = try await harness.register("stays", of: subscription)
            let leaves = try await harness.register("leaves", of: subscription, kind: .temporary)
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: stays)
            try await harness.store.acknowledge(offsets(0, 2), of: lease)
            try await keeps(harness, stream, 0, 3)
            try await harness.store.unregisterConsumer(leaves)
            try await keeps(harness, stream, 2, 3)
        },
        StoreCheck("ephemeral: at most once, events go when they are handed out") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream) { $0.semantics = .atMostOnce }
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.append(3, to: stream)
            try await harness.lease(0..<2, as: consumer)
            try await keeps(harness, stream, 2, 3)
        },
        StoreCheck("persistent: events stay when everybody has finished with them") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            let events = try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: consumer)
            try await harness.store.acknowledge(lease)
            try await harness.requireContent(stream, events)
            let late = try await harness.makeSubscription("late", of: stream)
            let another = try await harness.register("c1", of: late)
            try await harness.lease(0..<3, as: another)
        },
        StoreCheck("trim: removes exactly the events before the offset") { harness in
            let stream = try await harness.makeStream()
            let events = try await harness.append(6, to: stream)
            for (offset, removed) in [(Int64(0), 0), (2, 2), (1, 0), (2, 0), (5, 3)] {
                let count = try await harness.store.trim(stream, before: StreamOffset(offset))
                try requireEqual(count, removed, "events removed before \(offset)")
            }
            try await harness.requireContent(stream, Array(events[5...]), from: 5)
            try requireEqual(try await harness.store.trim(stream, before: StreamOffset(.max)), 1, "all removed")
            try await keeps(harness, stream, 6, 6)
            let result = try await harness.store.enqueue(harness.events(1), to: stream)
            try requireEqual(result.offsets, offsets(6, 7), "the next offset")
        },
        StoreCheck("trim: positions behind move up to it") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let broadcast = try await harness.makeSubscription("broadcast", of: stream, .broadcast)
            let behind = try await harness.register("behind", of: broadcast)
            try await harness.append(6, to: stream)
            let lease = try await harness.lease(0..<1, as: consumer)
            try await harness.store.acknowledge(lease)
            _ = try await harness.store.trim(stream, before: StreamOffset(4))
            try await harness.requirePosition(4, of: subscription)
            try await harness.requirePosition(4, of: broadcast, consumer: "behind")
            try await harness.lease(4..<6, as: consumer)
            try await harness.lease(4..<6, as: behind)
        },
        StoreCheck("trim: also past leased and waiting events") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            let failed = try await harness.lease(0..<2, as: consumer)
            try await harness.store.nack(failed.offsets, of: failed, reason: "no")
            let lease = try await harness.lease(2..<6, as: consumer)
            _ = try await harness.store.trim(stream, before: StreamOffset(4))
            try await harness.requirePosition(4, of: subscription)
            try await allowError(.leaseExpired, .alreadySettled, .invalidArgument, from: "settling trimmed events") {
                try await harness.store.acknowledge(lease)
            }
            harness.clock.advance(by: .seconds(100))
            try await harness.forEachLease(as: consumer) { lease in
                try require(
                    lease.events.allSatisfy { $0.offset.rawValue >= 4 },
                    "trimmed events were delivered: \(lease.offsets)"
                )
                try await harness.store.acknowledge(lease)
            }
            try await harness.requirePosition(6, of: subscription)
            try require(try await harness.progress(of: subscription).isFinished, "everything is done")
        },
    ]

    private static func keeps(
        _ harness: StoreHarness,
        _ stream: StreamName,
        _ first: Int64,
        _ head: Int64,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let metadata = try await harness.store.metadata(of: stream)
        let kept = metadata.first.rawValue..<metadata.head.rawValue
        try requireEqual(kept, first..<head, "events kept", file: file, line: line)
    }
}
