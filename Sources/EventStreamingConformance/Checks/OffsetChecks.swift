import EventStreamingCore
import EventStreamingTesting

enum OffsetChecks {
    static let all: [StoreCheck] = [
        StoreCheck("offsets: the position of competing consumers") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(5, to: stream)
            let lease = try await harness.lease(0..<5, as: consumer)
            try await harness.store.acknowledge(offsets(0, 2), of: lease)
            try await harness.requireOffset(2, of: nil, in: subscription)
            let positions = try await harness.store.positions(of: subscription.id)
            let expected = ConsumerPosition(consumer: nil, offset: StreamOffset(2), epoch: consumer.epoch)
            try requireEqual(positions, [expected], "positions")
            try await requireError(.unknownConsumer, from: "a position of one of them") {
                _ = try await harness.store.offset(of: consumer.consumer, in: subscription.id)
            }
        },
        StoreCheck("offsets: the positions of a broadcast, in order of the names") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            try requireEqual(try await harness.store.positions(of: subscription.id), [], "positions without consumers")
            try await harness.append(4, to: stream)
            let second = try await harness.register("b", of: subscription)
            let first = try await harness.register("a", of: subscription, start: .latest)
            try await harness.store.acknowledge(try await harness.lease(0..<3, as: second))
            try await harness.store.unregisterConsumer(second)
            let expected = [
                ConsumerPosition(consumer: first.consumer, offset: StreamOffset(4), epoch: first.epoch),
                ConsumerPosition(consumer: second.consumer, offset: StreamOffset(3), epoch: second.epoch),
            ]
            try requireEqual(try await harness.store.positions(of: subscription.id), expected, "positions")
            try await harness.requireOffset(3, of: second.consumer, in: subscription)
            try await requireError(.unknownConsumer, from: "a consumer that is not there") {
                _ = try await harness.store.offset(of: try ConsumerID("c"), in: subscription.id)
            }
            try await requireError(.unknownConsumer, from: "one position for all") {
                _ = try await harness.store.offset(of: nil, in: subscription.id)
            }
        },
        StoreCheck("offsets: an unknown subscription") { harness in
            let id = try SubscriptionID("nobody")
            try await requireError(.unknownSubscription, from: "positions") {
                _ = try await harness.store.positions(of: id)
            }
            try await requireError(.unknownSubscription, from: "an offset") {
                _ = try await harness.store.offset(of: nil, in: id)
            }
            try await requireError(.unknownSubscription, from: "moving a position") {
                _ = try await harness.store.setOffset(.zero, of: nil, in: id, epoch: .max)
            }
        },
        StoreCheck("offsets: a position moved back delivers again, as a first attempt") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            try await harness.store.acknowledge(try await harness.lease(0..<4, as: consumer))
            let failed = try await harness.lease(4..<5, as: consumer)
            try await harness.store.nack(failed.offsets, of: failed, reason: "no")
            try await harness.set(1, of: nil, in: subscription, epoch: consumer.epoch)
            try await harness.requireOffset(1, of: nil, in: subscription)
            let progress = try await harness.progress(of: subscription)
            try requireEqual(progress.waiting, 0, "waiting")
            try await harness.store.acknowledge(try await harness.lease(1..<6, as: consumer))
            harness.clock.advance(by: .seconds(100))
            try await harness.requireNothing(for: consumer)
            try await harness.requireOffset(6, of: nil, in: subscription)
        },
        StoreCheck("offsets: a position moved forward passes over events, and none of them is missed") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            try await harness.set(4, of: nil, in: subscription, epoch: consumer.epoch)
            try await harness.lease(4..<6, as: consumer)
            try requireEqual(try await harness.progress(of: subscription).missed, 0, "missed")
        },
        StoreCheck("offsets: leases at a position that is moved have ended") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            let lease = try await harness.lease(0..<3, as: consumer)
            try await harness.set(0, of: nil, in: subscription, epoch: consumer.epoch)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 0, "in flight")
            try await requireError(.leaseExpired, .alreadySettled, from: "settling what was leased before") {
                try await harness.store.acknowledge(lease)
            }
            try await harness.requireOffset(0, of: nil, in: subscription)
            try await harness.store.heartbeat(consumer, extending: .all)
            try await harness.store.acknowledge(try await harness.lease(0..<6, as: consumer))
            harness.clock.advance(by: .seconds(100))
            try await harness.requireNothing(for: consumer)
        },
        StoreCheck("offsets: a position stays within what the stream has") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            _ = try await harness.store.trim(stream, before: StreamOffset(2))
            try await harness.set(0, of: nil, in: subscription, epoch: consumer.epoch, becomes: 2)
            try await harness.set(.max, of: nil, in: subscription, epoch: consumer.epoch, becomes: 6)
            try await harness.requireNothing(for: consumer)
            try await harness.append(1, to: stream)
            try await harness.lease(6..<7, as: consumer)
        },
        StoreCheck("offsets: a newer registration keeps a position from being moved") { harness in
            let stream = try await harness.makeStream()
            for mode in [SubscriptionMode.exclusive, .broadcast] {
                let subscription = try await harness.makeSubscription("\(mode)", of: stream, mode)
                let old = try await harness.register("c1", of: subscription)
                try await harness.append(3, to: stream)
                let seen = try await harness.store.positions(of: subscription.id)[0]
                try requireEqual(seen.epoch, old.epoch, "epoch")
                let new = try await harness.register("c1", of: subscription)
                let lease = try await harness.lease(as: new)
                try await requireError(.consumerReplaced, from: "moving a position by an old epoch") {
                    let epoch = seen.epoch
                    _ = try await harness.store.setOffset(
                        StreamOffset(1), of: seen.consumer, in: subscription.id, epoch: epoch)
                }
                try await harness.store.acknowledge(lease)
                let position = try await harness.store.positions(of: subscription.id)[0].offset.rawValue
                try await harness.store.unregisterConsumer(new)
                try await harness.requireOffset(position, of: seen.consumer, in: subscription)
                try await harness.set(1, of: seen.consumer, in: subscription, epoch: new.epoch)
                try await harness.requireOffset(1, of: seen.consumer, in: subscription)
            }
        },
        StoreCheck("offsets: moving one position of a broadcast leaves the others") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let first = try await harness.register("a", of: subscription)
            let second = try await harness.register("b", of: subscription)
            try await harness.append(5, to: stream)
            let held = try await harness.lease(0..<2, as: second)
            try await harness.set(3, of: first.consumer, in: subscription, epoch: first.epoch)
            try await harness.lease(3..<5, as: first)
            try await harness.store.acknowledge(held)
            try requireEqual(try await harness.store.metadata(of: stream).first.rawValue, 2, "first event kept")
            try await harness.set(0, of: first.consumer, in: subscription, epoch: first.epoch, becomes: 2)
            try await harness.set(5, of: second.consumer, in: subscription, epoch: second.epoch)
            try requireEqual(try await harness.store.metadata(of: stream).first.rawValue, 2, "first event kept")
            try await harness.store.acknowledge(try await harness.lease(2..<5, as: first))
            try requireEqual(try await harness.store.metadata(of: stream).first.rawValue, 5, "first event kept")
        },
        StoreCheck("offsets: what returns from the dead letters is not touched") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            try await harness.giveUpNext(as: consumer)
            let count = try await harness.store.redrive(offsets(0, 1), of: subscription.id)
            try requireEqual(count, 1, "redriven")
            try await harness.set(3, of: nil, in: subscription, epoch: consumer.epoch)
            let lease = try await harness.lease(0..<1, as: consumer)
            try require(lease.isRedriven, "the event returns from the dead letters")
            try await harness.set(2, of: nil, in: subscription, epoch: consumer.epoch)
            try await harness.store.acknowledge(lease)
            try await harness.lease(2..<3, as: consumer)
        },
        StoreCheck("offsets: observers are told of a position that is moved") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            try await harness.store.acknowledge(try await harness.lease(0..<2, as: consumer))
            let recorder = ChangeRecorder()
            harness.store.addObserver(recorder)
            try await harness.set(0, of: nil, in: subscription, epoch: consumer.epoch)
            let isTold = await recorder.waitForChange(of: stream)
            try require(isTold, "there was no hint")
        },
        StoreCheck("missed: positions tell what was removed before they had finished it") { harness in
            let stream = try await harness.makeStream(retention: .maxCount(4))
            let subscription = try await harness.makeSubscription(of: stream)
            let broadcast = try await harness.makeSubscription("broadcast", of: stream, .broadcast)
            let consumer = try await harness.register("c1", of: subscription)
            let ahead = try await harness.register("ahead", of: broadcast)
            let behind = try await harness.register("behind", of: broadcast)
            try await harness.append(10, to: stream)
            try await harness.store.acknowledge(try await harness.lease(0..<8, as: ahead))
            let lease = try await harness.lease(0..<5, as: consumer)
            try requireEqual(lease.missed, 0, "missed before")
            try await harness.store.acknowledge(offsets(2, 4), of: lease)
            _ = try await harness.store.applyRetention(to: stream)
            try await harness.requireMissed(4, of: subscription)
            try await harness.requireMissed(0, of: broadcast, consumer: "ahead")
            try await harness.requireMissed(6, of: broadcast, consumer: "behind")
            let next = try await harness.lease(6..<8, as: consumer)
            try requireEqual(next.missed, 4, "missed, as the lease tells")
            try requireEqual(try await harness.lease(6..<10, as: behind).missed, 6, "missed, as the lease tells")
            try await harness.store.acknowledge(next)
            _ = try await harness.store.trim(stream, before: StreamOffset(9))
            try await harness.requireMissed(5, of: subscription)
            try await harness.requireMissed(1, of: broadcast, consumer: "ahead")
            try await harness.requireMissed(9, of: broadcast, consumer: "behind")
        },
        StoreCheck("missed: also what was dropped for want of room") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral, capacity: 3, overflow: .dropOldest)
            let subscription = try await harness.makeSubscription(of: stream)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.append(3, to: stream)
            try await harness.store.acknowledge(try await harness.lease(0..<2, as: consumer))
            try await harness.append(5, to: stream)
            try await harness.requireMissed(3, of: subscription)
            try requireEqual(try await harness.lease(5..<8, as: consumer).missed, 3, "missed, as the lease tells")
        },
    ]
}

extension StoreHarness {
    fileprivate func requireOffset(
        _ expected: Int64,
        of consumer: ConsumerID?,
        in subscription: SubscriptionDefinition,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let offset = try await store.offset(of: consumer, in: subscription.id)
        try requireEqual(offset.rawValue, expected, "offset", file: file, line: line)
        try await requirePosition(expected, of: subscription, consumer: consumer?.rawValue, file: file, line: line)
    }

    /// Moves a position, and checks where it went.
    fileprivate func set(
        _ offset: Int64,
        of consumer: ConsumerID?,
        in subscription: SubscriptionDefinition,
        epoch: UInt64,
        becomes expected: Int64? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let result = try await store.setOffset(StreamOffset(offset), of: consumer, in: subscription.id, epoch: epoch)
        try requireEqual(result.rawValue, expected ?? offset, "the new position", file: file, line: line)
    }

    fileprivate func requireMissed(
        _ expected: Int,
        of subscription: SubscriptionDefinition,
        consumer: String? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let progress = try await progress(of: subscription, consumer: consumer, file: file, line: line)
        try requireEqual(progress.missed, expected, "missed", file: file, line: line)
    }
}
