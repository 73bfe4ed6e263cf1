import EventStreamingCore
import EventStreamingTesting

enum RedriveChecks {
    static let all: [StoreCheck] = [
        StoreCheck("redrive: an event returns as a first attempt, the position does not move") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let events = try await harness.append(4, to: stream)
            try await harness.giveUpNext(as: consumer)
            try await harness.giveUpNext(as: consumer)
            let lease = try await harness.lease(2..<4, as: consumer)
            try await harness.store.acknowledge(offsets(2, 3), of: lease)
            let count = try await harness.store.redrive(offsets(1, 2), of: subscription.id)
            try requireEqual(count, 1, "events redriven")
            try await harness.requirePosition(3, of: subscription)
            try requireEqual(try await harness.deadLetters(of: subscription).map(\.number.rawValue), [0], "open")
            let progress = try await harness.progress(of: subscription)
            try requireEqual(progress.deadLetters, 1, "dead letters left")
            try require(!progress.isFinished, "there is something to do")
            let redriven = try await harness.lease(1..<2, as: consumer, limit: 100)
            try require(redriven.isRedriven, "the lease says that it is redriven")
            try requireEqual(redriven.events.map(\.id), [events[1].id], "the event")
            try requireEqual(redriven.events.map(\.bytes), [Array("1".utf8)], "the payload")
            try await harness.store.acknowledge(redriven)
            try await harness.store.acknowledge(offsets(3, 4), of: lease)
            try await harness.requirePosition(4, of: subscription)
            try require(try await harness.progress(of: subscription).isFinished, "everything is done")
            try await harness.requireNothing(for: consumer)
        },
        StoreCheck("redrive: only open dead letters, and each once") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            for _ in 0..<3 {
                try await harness.giveUpNext(as: consumer)
            }
            for (range, expected) in [
                (offsets(1, 2), 1), (offsets(1, 2), 0), (offsets(0, 3), 2), (offsets(0, .max), 0), (offsets(2, 2), 0),
            ] {
                let count = try await harness.store.redrive(range, of: subscription.id)
                try requireEqual(count, expected, "events redriven in \(range)")
            }
            var returned: [Int64] = []
            try await harness.forEachLease(as: consumer, limit: 100) { lease in
                try requireEqual(lease.attempt, 1, "attempt")
                returned += lease.events.map(\.offset.rawValue)
                try await harness.store.acknowledge(lease)
            }
            try requireEqual(returned.sorted(), [0, 1, 2], "events that returned")
        },
        StoreCheck("redrive: an event that fails again is a new dead letter") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 2 }
            let events = try await harness.append(1, to: stream)
            try await harness.giveUpNext(as: consumer, reason: "first")
            _ = try await harness.store.redrive(offsets(0, 1), of: subscription.id)
            harness.clock.advance(by: .seconds(100))
            let failedAt = harness.clock.now
            for attempt in 1...2 {
                let lease = try await harness.lease(0..<1, as: consumer, attempt: attempt)
                try require(lease.isRedriven, "it is redriven at attempt \(attempt)")
                try await harness.store.nack(lease.offsets, of: lease, reason: "again \(attempt)")
                harness.clock.advance(by: .seconds(10))
            }
            try await harness.requireNothing(for: consumer)
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.number.rawValue), [1], "numbers of open dead letters")
            try requireEqual(letters.map(\.event.id), events.map(\.id), "event")
            try requireEqual(letters.map(\.event.offset.rawValue), [0], "offset")
            try requireEqual(letters.map(\.event.bytes), [Array("0".utf8)], "payload")
            try requireEqual(letters.map(\.event.headers), [[:]], "headers")
            try requireEqual(letters.map(\.reason), ["again 2"], "reason")
            try requireEqual(letters.map(\.attempts), [2], "attempts")
            try requireEqual(letters.map(\.lastFailure), [failedAt + .seconds(10)], "last failure")
            try await harness.requirePosition(1, of: subscription)
            try requireEqual(try await harness.store.redrive(offsets(0, 2), of: subscription.id), 1, "redriven")
        },
        StoreCheck("redrive: a redriven lease expires, extends and releases as any other") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            try await harness.giveUpNext(as: consumer)
            _ = try await harness.store.redrive(offsets(0, 1), of: subscription.id)
            let first = try await harness.lease(0..<1, as: consumer)
            try await harness.store.release(first)
            let second = try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(20))
            try await harness.store.heartbeat(consumer, extending: .all)
            harness.clock.advance(by: .seconds(20))
            try await harness.requireNothing(for: consumer)
            harness.clock.advance(by: .seconds(20))
            let third = try await harness.lease(0..<1, as: consumer, attempt: 2)
            try await requireError(.leaseExpired, from: "acknowledging an expired redriven lease") {
                try await harness.store.acknowledge(second)
            }
            try await harness.store.acknowledge(third)
            try require(try await harness.progress(of: subscription).isFinished, "everything is done")
        },
        StoreCheck("redrive: works when the event was trimmed or dropped meanwhile") { harness in
            let stream = try await harness.makeStream("orders", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream)
            let consumer = try await harness.register("c1", of: subscription)
            let events = try await harness.append(1, to: stream)
            try await harness.giveUpNext(as: consumer)
            let metadata = try await harness.store.metadata(of: stream)
            try requireEqual(metadata.count, 0, "events kept after the only one was given up")
            try requireEqual(metadata.dropped, 0, "a dead letter is not dropped")
            try requireEqual(try await harness.store.redrive(offsets(0, 1), of: subscription.id), 1, "redriven")
            let lease = try await harness.lease(0..<1, as: consumer)
            try requireEqual(lease.events.map(\.id), events.map(\.id), "event")
            try await harness.store.acknowledge(lease)
            try require(try await harness.progress(of: subscription).isFinished, "everything is done")
        },
        StoreCheck("redrive: goes to the consumer whose position it was, and nobody else") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let first = try await harness.register("first", of: subscription)
            let second = try await harness.register("second", of: subscription)
            try await harness.append(1, to: stream)
            try await harness.giveUpNext(as: first)
            let done = try await harness.lease(0..<1, as: second)
            try await harness.store.acknowledge(done)
            try requireEqual(try await harness.store.redrive(offsets(0, 1), of: subscription.id), 1, "redriven")
            try await harness.requireNothing(for: second)
            try await harness.lease(0..<1, as: first)
        },
        StoreCheck("redrive: a dead letter whose position is gone stays open") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let consumer = try await harness.register("c1", of: subscription, kind: .temporary)
            try await harness.append(1, to: stream)
            try await harness.giveUpNext(as: consumer)
            try await harness.store.unregisterConsumer(consumer)
            try requireEqual(try await harness.store.redrive(offsets(0, 1), of: subscription.id), 0, "redriven")
            try requireEqual(try await harness.deadLetters(of: subscription).count, 1, "open")
        },
    ]
}
