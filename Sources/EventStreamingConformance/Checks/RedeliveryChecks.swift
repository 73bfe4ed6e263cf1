import EventStreamingCore
import EventStreamingTesting

enum RedeliveryChecks {
    static let all: [StoreCheck] = [
        StoreCheck("redelivery: the delay of the retry policy doubles, and attempts count up") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue {
                $0.retry.maximumAttempts = 6
                $0.retry.maximumDelay = .seconds(5)
            }
            try await harness.append(1, to: stream)
            for (index, seconds) in [1, 2, 4, 5, 5].enumerated() {
                let lease = try await harness.lease(0..<1, as: consumer, attempt: index + 1)
                try await harness.store.nack(lease.offsets, of: lease, reason: "no")
                let progress = try await harness.progress(of: subscription)
                try requireEqual(progress.waiting, 1, "waiting")
                try requireEqual(progress.inFlight, 0, "in flight")
                harness.clock.advance(by: .seconds(seconds) - .nanoseconds(1))
                try await harness.requireNothing(for: consumer)
                harness.clock.advance(by: .nanoseconds(1))
            }
            let last = try await harness.lease(0..<1, as: consumer, attempt: 6)
            try await harness.store.acknowledge(last)
            try await harness.requirePosition(1, of: subscription)
        },
        StoreCheck("redelivery: jitter stays within its bounds") { harness in
            let (stream, _, consumer) = try await harness.makeQueue {
                $0.retry.initialDelay = .seconds(10)
                $0.retry.jitter = 0.5
            }
            try await harness.append(40, to: stream)
            let lease = try await harness.lease(0..<40, as: consumer)
            for offset in 0..<Int64(40) {
                try await harness.store.nack(offsets(offset, offset + 1), of: lease, reason: "no")
            }
            harness.clock.advance(by: .seconds(5) - .nanoseconds(1))
            try await harness.requireNothing(for: consumer)
            harness.clock.advance(by: .seconds(10) + .nanoseconds(1))
            var returned: Set<Int64> = []
            try await harness.forEachLease(as: consumer, limit: 100) { lease in
                returned.formUnion(lease.events.map(\.offset.rawValue))
            }
            try requireEqual(returned.count, 40, "events that returned after the longest delay")
        },
        StoreCheck("redelivery: an explicit delay") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            for (index, delay) in [Duration.seconds(100), .milliseconds(1)].enumerated() {
                let lease = try await harness.lease(0..<1, as: consumer, attempt: index + 1)
                try await harness.store.nack(lease.offsets, of: lease, action: .retry(after: delay), reason: "no")
                harness.clock.advance(by: delay - .nanoseconds(1))
                try await harness.requireNothing(for: consumer)
                harness.clock.advance(by: .nanoseconds(1))
            }
            let lease = try await harness.lease(0..<1, as: consumer, attempt: 3)
            try await harness.store.nack(lease.offsets, of: lease, action: .retry(after: .zero), reason: "no")
            try await harness.lease(0..<1, as: consumer, attempt: 4)
        },
        StoreCheck("redelivery: what was given back comes before new events, in order of its time") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<3, as: consumer)
            for (offset, seconds) in [(0, 3), (1, 1), (2, 2)] {
                try await harness.store.nack(
                    offsets(Int64(offset), Int64(offset + 1)),
                    of: lease,
                    action: .retry(after: .seconds(seconds)),
                    reason: "no"
                )
            }
            harness.clock.advance(by: .seconds(5))
            try await harness.lease(1..<2, as: consumer, attempt: 2)
            try await harness.lease(2..<3, as: consumer, attempt: 2)
            try await harness.lease(0..<1, as: consumer, attempt: 2)
            try await harness.lease(3..<4, as: consumer)
        },
        StoreCheck("redelivery: others go on meanwhile, the position waits") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            let failed = try await harness.lease(0..<1, as: consumer)
            try await harness.store.nack(failed.offsets, of: failed, reason: "no")
            let rest = try await harness.lease(1..<3, as: consumer, limit: 10)
            try await harness.store.acknowledge(rest)
            try await harness.requirePosition(0, of: subscription)
            harness.clock.advance(by: .seconds(1))
            let again = try await harness.lease(0..<1, as: consumer, attempt: 2)
            try await harness.store.acknowledge(again)
            try await harness.requirePosition(3, of: subscription)
        },
        StoreCheck("redelivery: a range may be split among consumers") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(6, to: stream)
            let lease = try await harness.lease(0..<6, as: first)
            try await harness.store.nack(lease.offsets, of: lease, action: .retry(after: .zero), reason: "no")
            let one = try await harness.lease(0..<2, as: first, attempt: 2)
            let two = try await harness.lease(2..<5, as: second, attempt: 2)
            let three = try await harness.lease(5..<6, as: first, attempt: 2, limit: 100)
            for lease in [two, three, one] {
                try await harness.store.acknowledge(lease)
            }
            try await harness.requirePosition(6, of: subscription)
        },
        StoreCheck("release: events return at once, and no attempt is counted") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(4, to: stream)
            for _ in 0..<10 {
                let lease = try await harness.lease(0..<4, as: consumer)
                try await harness.store.release(lease)
                try requireEqual(try await harness.progress(of: subscription).inFlight, 0, "in flight")
            }
            try requireEqual(try await harness.deadLetters(of: subscription).count, 0, "dead letters")
        },
        StoreCheck("release: what returns at once comes in order of offsets, whenever it was given back") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(8, to: stream)
            try await harness.store.release(harness.lease(0..<6, as: consumer))
            harness.clock.advance(by: .milliseconds(10))
            // 4 and 5 wait since the first release, the others come back later, each in another way.
            let first = try await harness.lease(0..<2, as: consumer)
            try await harness.lease(2..<3, as: consumer)
            let third = try await harness.lease(3..<4, as: consumer)
            try await harness.store.nack(third.offsets, of: third, action: .retry(after: .zero), reason: "no")
            try await harness.store.release(first)
            harness.clock.advance(by: .milliseconds(10))
            let again = try await harness.register("c1", of: subscription)
            try await harness.lease(0..<2, as: again)
            try await harness.lease(2..<3, as: again, attempt: 2)
            try await harness.lease(3..<4, as: again, attempt: 2)
            try await harness.lease(4..<6, as: again)
            try await harness.lease(6..<8, as: again)
        },
        StoreCheck("release: of the rest of a lease") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(5, to: stream)
            let lease = try await harness.lease(0..<5, as: consumer)
            try await harness.store.acknowledge(offsets(1, 2), of: lease)
            try await harness.store.release(lease)
            try await harness.lease(0..<1, as: consumer, limit: 1)
            try await harness.lease(2..<5, as: consumer)
            try await harness.requirePosition(0, of: subscription)
        },
        StoreCheck("release: keeps the attempt of a retried event") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            let first = try await harness.lease(0..<1, as: consumer)
            try await harness.store.nack(first.offsets, of: first, action: .retry(after: .zero), reason: "no")
            let second = try await harness.lease(0..<1, as: consumer, attempt: 2)
            try await harness.store.release(second)
            try await harness.lease(0..<1, as: consumer, attempt: 2)
        },
        StoreCheck("release: a released lease has ended") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            try await harness.store.release(lease)
            try await requireError(.leaseExpired, from: "acknowledging after a release") {
                try await harness.store.acknowledge(lease)
            }
            let next = try await harness.lease(0..<2, as: consumer)
            try await requireError(.leaseExpired, from: "acknowledging with the old lease") {
                try await harness.store.acknowledge(lease)
            }
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.acknowledge(next)
            try await harness.requirePosition(2, of: subscription)
        },
    ]
}
