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
        StoreCheck("ephemeral: what was finished behind events that are removed goes with them") { harness in
            for drops in [false, true] {
                let name = "queue-\(drops)"
                let stream = try await harness.makeStream(name, .ephemeral, capacity: 6, overflow: .dropOldest)
                let subscription = try await harness.makeSubscription(name, of: stream)
                let consumer = try await harness.register("c1", of: subscription)
                try await harness.append(6, to: stream)
                let lease = try await harness.lease(0..<6, as: consumer)
                try await harness.store.acknowledge(offsets(1, 4), of: lease)
                try await keeps(harness, stream, 0, 6)
                if drops {
                    try await harness.append(1, to: stream)
                    try await keeps(harness, stream, 4, 7)
                } else {
                    let count = try await harness.store.trim(stream, before: StreamOffset(1))
                    try requireEqual(count, 1, "events trimmed")
                    try await keeps(harness, stream, 4, 6)
                }
            }
        },
        StoreCheck("ephemeral: what only expired consumers kept is gone for whoever looks first") { harness in
            for look in 0..<7 {
                let name = "queue\(look)"
                let stream = try await harness.makeStream(name, .ephemeral)
                let first = try await harness.makeSubscription("first\(look)", of: stream, .broadcast) {
                    $0.consumerTimeout = .seconds(10)
                }
                let second = try await harness.makeSubscription("second\(look)", of: stream, .broadcast)
                _ = try await harness.register("expires", of: first, kind: .temporary)
                try await harness.append(3, to: stream)
                harness.clock.advance(by: .seconds(10))
                switch look {
                case 0:
                    try await harness.requireNothing(for: harness.register("c1", of: first, start: .beginning))
                case 1:
                    try await harness.requireNothing(for: harness.register("c1", of: second, start: .beginning))
                case 2:
                    let page = try await harness.store.read(stream, from: .zero, direction: .backward, limit: 9)
                    try requireEqual(page.count, 0, "events read")
                case 3:
                    let offset = try await harness.store.offset(of: .beginning, in: stream)
                    try requireEqual(offset.rawValue, 3, "the beginning")
                case 4:
                    try requireEqual(try await harness.store.trim(stream, before: StreamOffset(2)), 0, "trimmed")
                case 5:
                    try await harness.append(2, to: stream)
                    try requireEqual(try await harness.store.metadata(of: stream).dropped, 2, "dropped")
                default:
                    let third = try await harness.makeSubscription("third", of: stream)
                    try await harness.requirePosition(3, of: third)
                }
                let metadata = try await harness.store.metadata(of: stream)
                try requireEqual(metadata.first, metadata.head, "first offset after look \(look)")
            }
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
        StoreCheck("trim: what was given up before it keeps its dead letter") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 1 }
            let events = try await harness.append(2, to: stream)
            try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(30))
            _ = try await harness.store.trim(stream, before: StreamOffset(2))
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.event.id), [events[0].id], "dead letters")
            try requireEqual(try await harness.progress(of: subscription).missed, 1, "missed")
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
