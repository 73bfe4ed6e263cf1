import EventStreamingCore
import EventStreamingTesting

/// What holds of a store's transactions. A store without any passes: there is nothing to check.
enum TransactionChecks {
    private struct Refusal: Error {}

    static let all: [StoreCheck] = [
        StoreCheck("transactions: appends to several streams are made together") { harness in
            guard let store = harness.store as? any TransactionalStore else { return }
            let first = try await harness.makeStream("first")
            let second = try await harness.makeStream("second")
            let (some, others) = (harness.events(2), harness.events(3))
            let total = try await store.withTransaction { transaction in
                let results = [
                    try transaction.append(StreamAppend(stream: first, events: some)),
                    try transaction.append(StreamAppend(stream: second, events: others)),
                ]
                return results.reduce(0) { $0 + $1.offsets.lowerBound.distance(to: $1.offsets.upperBound) }
            }
            try requireEqual(total, 5, "the events appended")
            try await harness.requireContent(first, some)
            try await harness.requireContent(second, others)
        },
        StoreCheck("transactions: nothing is left of one that was given up") { harness in
            guard let store = harness.store as? any TransactionalStore else { return }
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let events = try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            let more = harness.events(1)
            do {
                try await store.withTransaction { transaction in
                    _ = try transaction.append(StreamAppend(stream: stream, events: more))
                    try transaction.settle(
                        Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
                    )
                    throw Refusal()
                }
                try require(false, "an error inside of the transaction was not passed on")
            } catch is Refusal {}
            try await harness.requireContent(stream, events)
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(2, of: subscription)
        },
        StoreCheck("transactions: an append and a settlement are committed together") { harness in
            guard let store = harness.store as? any TransactionalStore else { return }
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let events = try await harness.append(2, to: stream)
            let target = try await harness.makeStream("target")
            let lease = try await harness.lease(0..<2, as: consumer)
            let derived = harness.events(3)
            let result = try await store.withTransaction { transaction in
                try transaction.settle(
                    Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
                )
                return try transaction.append(StreamAppend(stream: target, events: derived))
            }
            try requireEqual(result.offsets, StreamOffset(0)..<StreamOffset(3), "the offsets of the append")
            try await harness.requireContent(stream, events)
            try await harness.requireContent(target, derived)
            try await harness.requirePosition(2, of: subscription)
        },
        StoreCheck("transactions: a lease that has ended is refused, and nothing is written for it") { harness in
            guard let store = harness.store as? any TransactionalStore else { return }
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            let target = try await harness.makeStream("target")
            let lease = try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(31))
            let derived = harness.events(1)
            try await requireError(.leaseExpired, from: "settling in a transaction") {
                try await store.withTransaction { transaction in
                    _ = try transaction.append(StreamAppend(stream: target, events: derived))
                    try transaction.settle(
                        Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
                    )
                }
            }
            try await harness.requireContent(target, [])
        },
        StoreCheck("transactions: expected versions and event ids hold inside of them") { harness in
            guard let store = harness.store as? any TransactionalStore else { return }
            let stream = try await harness.makeStream()
            let events = harness.events(2)
            let repetition = try await store.withTransaction { transaction in
                let append = StreamAppend(stream: stream, events: events, expectedVersion: .noStream)
                _ = try transaction.append(append)
                return try transaction.append(append)
            }
            try require(repetition.isDuplicate, "appending again in the same transaction was not a repetition")
            try requireEqual(repetition.offsets, StreamOffset(0)..<StreamOffset(2), "the first offsets")
            let more = harness.events(1)
            try await requireError(.wrongExpectedVersion, from: "a wrong version") {
                try await store.withTransaction { transaction in
                    _ = try transaction.append(
                        StreamAppend(stream: stream, events: more, expectedVersion: .noStream)
                    )
                }
            }
            try await harness.requireContent(stream, events)
        },
    ]
}
