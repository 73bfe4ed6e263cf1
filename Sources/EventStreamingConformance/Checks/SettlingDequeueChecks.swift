import EventStreamingCore
import EventStreamingTesting

/// Settling one lease and taking the next in one call.
enum SettlingDequeueChecks {
    static let all: [StoreCheck] = [
        StoreCheck("dequeue with a settlement: records it and leases the next events") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            let first = try await harness.lease(0..<2, as: consumer)
            let result = try await harness.store.dequeue(as: consumer, limit: 3, settling: finished(first))
            guard case .lease(let second) = result else { throw unexpected(result) }
            try requireEqual(second.events.map(\.offset.rawValue), [2, 3, 4], "offsets delivered")
            try await harness.requirePosition(2, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 3, "in flight")
            try await requireError(.leaseExpired, .alreadySettled, from: "settling the first lease again") {
                try await harness.store.acknowledge(first)
            }
            try await harness.store.acknowledge(second)
            try await harness.requirePosition(5, of: subscription)
        },
        StoreCheck("dequeue with a settlement: records it when there is nothing to lease") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            let result = try await harness.store.dequeue(as: consumer, limit: 5, settling: finished(lease))
            guard case .empty = result else { throw unexpected(result) }
            try await harness.requirePosition(2, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 0, "in flight")
        },
        StoreCheck("dequeue with a settlement: what is given back is there at once") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            let settlement = Settlement(
                of: consumer,
                leaseEpoch: lease.epoch,
                completed: [offsets(1, 2)],
                rejections: [Rejection(offsets: offsets(0, 1), action: .retry(after: .zero), reason: "again")]
            )
            let result = try await harness.store.dequeue(as: consumer, limit: 5, settling: settlement)
            guard case .lease(let again) = result else { throw unexpected(result) }
            try requireEqual(again.events.map(\.offset.rawValue), [0], "offsets delivered")
            try requireEqual(again.attempt, 2, "attempt")
            try await harness.requirePosition(0, of: subscription)
        },
        StoreCheck("dequeue with a settlement: dead letters are there at once") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            let settlement = Settlement(
                of: consumer,
                leaseEpoch: lease.epoch,
                completed: [offsets(0, 1)],
                rejections: [Rejection(offsets: offsets(1, 2), action: .deadLetter, reason: "broken")]
            )
            let result = try await harness.store.dequeue(as: consumer, limit: 5, settling: settlement)
            guard case .lease(let next) = result else { throw unexpected(result) }
            try requireEqual(next.events.map(\.offset.rawValue), [2], "offsets delivered")
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.event.offset.rawValue), [1], "dead letters")
        },
        StoreCheck("dequeue with a settlement: a refused one leases nothing") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            try await harness.store.acknowledge(offsets(0, 1), of: lease)
            try await requireError(.alreadySettled, from: "an offset settled before") {
                _ = try await harness.store.dequeue(as: consumer, limit: 2, settling: finished(lease))
            }
            try await harness.store.acknowledge(offsets(1, 2), of: lease)
            try await requireError(.leaseExpired, .alreadySettled, from: "a lease that has ended") {
                _ = try await harness.store.dequeue(as: consumer, limit: 2, settling: finished(lease))
            }
            try requireEqual(try await harness.progress(of: subscription).inFlight, 0, "in flight")
            try await harness.lease(2..<4, as: consumer)
        },
        StoreCheck("dequeue with a settlement: a refused question settles nothing") { harness in
            let (stream, subscription, old) = try await harness.makeQueue()
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<2, as: old)
            try await requireError(.invalidArgument, from: "a limit of 0") {
                _ = try await harness.store.dequeue(as: old, limit: 0, settling: finished(lease))
            }
            try requireEqual(try await harness.progress(of: subscription).inFlight, 2, "in flight")
            let other = try await harness.register("c2", of: subscription)
            try await requireError(.invalidArgument, from: "a settlement of another registration") {
                _ = try await harness.store.dequeue(as: other, limit: 1, settling: finished(lease))
            }
            try requireEqual(try await harness.progress(of: subscription).inFlight, 2, "in flight")
            let new = try await harness.register("c1", of: subscription)
            try await requireError(.consumerReplaced, from: "a consumer that was replaced") {
                _ = try await harness.store.dequeue(as: old, limit: 1, settling: finished(lease))
            }
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.unregisterConsumer(new)
            try await requireError(.unknownConsumer, .leaseExpired, from: "a consumer that has left") {
                let settlement = Settlement(of: new, leaseEpoch: lease.epoch, completed: [offsets(0, 2)])
                _ = try await harness.store.dequeue(as: new, limit: 1, settling: settlement)
            }
            try await harness.requirePosition(0, of: subscription)
        },
        StoreCheck("dequeue with a settlement: of an ephemeral stream, whose finished events are gone") { harness in
            let stream = try await harness.makeStream("orders", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            let result = try await harness.store.dequeue(as: consumer, limit: 2, settling: finished(lease))
            guard case .lease(let next) = result else { throw unexpected(result) }
            try requireEqual(next.events.map(\.offset.rawValue), [2, 3], "offsets delivered")
            try requireEqual(try await harness.store.metadata(of: stream).first, StreamOffset(2), "first offset")
        },
    ]

    private static func finished(_ lease: Lease) -> Settlement {
        Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
    }

    private static func unexpected(_ result: DequeueResult) -> ConformanceFailure {
        ConformanceFailure(message: "unexpected: \(result)", file: #fileID, line: #line)
    }
}
