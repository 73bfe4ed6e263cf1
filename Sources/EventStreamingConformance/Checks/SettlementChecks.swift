import EventStreamingCore
import EventStreamingTesting

enum SettlementChecks {
    static let all: [StoreCheck] = [
        StoreCheck("settle: a whole lease") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<4, as: consumer)
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(4, of: subscription)
            let progress = try await harness.progress(of: subscription)
            try require(progress.isFinished, "finished: \(progress)")
            try requireEqual(progress.head, StreamOffset(4), "head")
            try await harness.requireNothing(for: consumer)
        },
        StoreCheck("settle: a prefix") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(5, to: stream)
            let lease = try await harness.lease(0..<5, as: consumer)
            try await harness.store.acknowledge(offsets(0, 2), of: lease)
            try await harness.requirePosition(2, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 3, "in flight")
            try await harness.store.acknowledge(offsets(2, 5), of: lease)
            try await harness.requirePosition(5, of: subscription)
        },
        StoreCheck("settle: out of order, the position waits for the first unfinished event") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            let lease = try await harness.lease(0..<6, as: consumer)
            let steps: [(Int64, Int64)] = [(4, 0), (2, 0), (0, 1), (1, 3), (3, 5), (5, 6)]
            for (offset, position) in steps {
                try await harness.store.acknowledge(offsets(offset, offset + 1), of: lease)
                try await harness.requirePosition(position, of: subscription)
            }
        },
        StoreCheck("settle: leases finish in any order") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(4, to: stream)
            let early = try await harness.lease(0..<2, as: first)
            let late = try await harness.lease(2..<4, as: second)
            try await harness.store.acknowledge(late)
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.acknowledge(early)
            try await harness.requirePosition(4, of: subscription)
        },
        StoreCheck("settle: completed and rejected events, and the rest, in one call") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            let lease = try await harness.lease(0..<6, as: consumer)
            let settlement = Settlement(
                of: consumer,
                leaseEpoch: lease.epoch,
                completed: [offsets(0, 1), offsets(3, 4)],
                rejections: [
                    Rejection(offsets: offsets(1, 2), action: .retry(after: .seconds(7)), reason: "later"),
                    Rejection(offsets: offsets(2, 3), action: .deadLetter, reason: "broken"),
                ],
                releasesRest: true
            )
            try await harness.store.settle(settlement)
            try await harness.requirePosition(1, of: subscription)
            let progress = try await harness.progress(of: subscription)
            try requireEqual(progress.inFlight, 0, "in flight")
            try requireEqual(progress.waiting, 3, "waiting")
            try requireEqual(progress.deadLetters, 1, "dead letters")
            let rest = try await harness.lease(4..<6, as: consumer)
            try await harness.requireNothing(for: consumer)
            harness.clock.advance(by: .seconds(7))
            let retried = try await harness.lease(1..<2, as: consumer, attempt: 2)
            try await harness.store.acknowledge(retried)
            try await harness.store.acknowledge(rest)
            try await harness.requirePosition(6, of: subscription)
        },
        StoreCheck("settle: an offset cannot be settled twice") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<4, as: consumer)
            try await harness.store.acknowledge(offsets(1, 2), of: lease)
            try await harness.store.nack(offsets(2, 3), of: lease, reason: "no")
            for range in [offsets(1, 2), offsets(0, 2), offsets(2, 3), offsets(2, 4)] {
                try await requireError(.alreadySettled, from: "a second acknowledgement in \(range)") {
                    try await harness.store.acknowledge(range, of: lease)
                }
                try await requireError(.alreadySettled, from: "a nack of settled offsets in \(range)") {
                    try await harness.store.nack(range, of: lease, reason: "no")
                }
            }
            try await harness.requirePosition(0, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 2, "in flight")
            try await harness.store.acknowledge(offsets(0, 1), of: lease)
            try await harness.store.acknowledge(offsets(3, 4), of: lease)
            try await harness.requirePosition(2, of: subscription)
        },
        StoreCheck("settle: one refused part refuses the whole settlement") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: consumer)
            try await harness.store.acknowledge(offsets(1, 2), of: lease)
            try await requireError(.alreadySettled, from: "settle") {
                try await harness.store.settle(
                    Settlement(
                        of: consumer,
                        leaseEpoch: lease.epoch,
                        completed: [offsets(0, 1), offsets(1, 2)],
                        rejections: [Rejection(offsets: offsets(2, 3), action: .deadLetter, reason: "no")],
                        releasesRest: true
                    )
                )
            }
            try await harness.requirePosition(0, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 2, "in flight")
            try requireEqual(try await harness.deadLetters(of: subscription).count, 0, "dead letters")
        },
        StoreCheck("settle: an offset cannot be finished and given back in one settlement") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            try await requireError(.alreadySettled, .invalidArgument, from: "a contradiction") {
                try await harness.store.settle(
                    Settlement(
                        of: consumer,
                        leaseEpoch: lease.epoch,
                        completed: [offsets(0, 2)],
                        rejections: [Rejection(offsets: offsets(1, 2), action: .retry(after: nil), reason: "no")]
                    )
                )
            }
            try await harness.requirePosition(0, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).inFlight, 2, "in flight")
        },
        StoreCheck("settle: offsets outside the lease are invalid") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            let first = try await harness.lease(0..<2, as: consumer)
            let lease = try await harness.lease(2..<4, as: consumer)
            for range in [offsets(0, 1), offsets(1, 3), offsets(3, 5), offsets(4, 6), offsets(0, .max)] {
                try await requireError(.invalidArgument, from: "acknowledging \(range)") {
                    try await harness.store.acknowledge(range, of: lease)
                }
                try await requireError(.invalidArgument, from: "giving \(range) back") {
                    try await harness.store.nack(range, of: lease, reason: "no")
                }
            }
            try requireEqual(try await harness.progress(of: subscription).inFlight, 4, "in flight")
            try await harness.store.acknowledge(first)
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(4, of: subscription)
        },
        StoreCheck("settle: a finished lease has ended") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            try await harness.store.acknowledge(lease)
            try await requireError(.leaseExpired, .alreadySettled, from: "a second acknowledgement") {
                try await harness.store.acknowledge(lease)
            }
            try await requireError(.leaseExpired, .alreadySettled, from: "a late nack") {
                try await harness.store.nack(offsets(0, 1), of: lease, reason: "no")
            }
            try await harness.requirePosition(2, of: subscription)
            try await harness.requireNothing(for: consumer)
        },
        StoreCheck("settle: a lease that never was") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            for epoch in [lease.epoch &+ 1, UInt64.max, 0] where epoch != lease.epoch {
                try await requireError(.leaseExpired, .invalidArgument, from: "settling lease \(epoch)") {
                    try await harness.store.settle(
                        Settlement(of: consumer, leaseEpoch: epoch, completed: [offsets(0, 2)])
                    )
                }
            }
            try await harness.requirePosition(0, of: subscription)
        },
        StoreCheck("settle: another consumer cannot settle a lease") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: first)
            try await requireError(.leaseExpired, .invalidArgument, from: "settling another's lease") {
                try await harness.store.settle(
                    Settlement(of: second, leaseEpoch: lease.epoch, completed: [offsets(0, 2)])
                )
            }
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.acknowledge(lease)
        },
        StoreCheck("settle: an empty settlement changes nothing") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            try await allowError(.invalidArgument, from: "an empty settlement") {
                try await harness.store.settle(Settlement(of: consumer, leaseEpoch: lease.epoch))
            }
            try await allowError(.invalidArgument, from: "an empty range") {
                try await harness.store.acknowledge(offsets(1, 1), of: lease)
            }
            try requireEqual(try await harness.progress(of: subscription).inFlight, 2, "in flight")
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(2, of: subscription)
        },
    ]
}
