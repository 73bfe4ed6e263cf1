import EventStreamingCore
import EventStreamingTesting

enum ExpiryChecks {
    static let all: [StoreCheck] = [
        StoreCheck("expiry: an unsettled lease ends at its visibility timeout") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: first)
            try await harness.store.acknowledge(offsets(1, 2), of: lease)
            harness.clock.advance(by: .seconds(30) - .nanoseconds(1))
            try await harness.requireNothing(for: second)
            harness.clock.advance(by: .nanoseconds(1))
            try await harness.lease(0..<1, as: second, attempt: 2)
            try await harness.lease(2..<3, as: second, attempt: 2)
        },
        StoreCheck("expiry: a late acknowledgement is refused and changes nothing") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(2, to: stream)
            let late = try await harness.lease(0..<2, as: first)
            harness.clock.advance(by: .seconds(31))
            try await requireError(.leaseExpired, from: "acknowledging before anybody took over") {
                try await harness.store.acknowledge(late)
            }
            let lease = try await harness.lease(0..<2, as: second, attempt: 2)
            try await requireError(.leaseExpired, from: "acknowledging after another took over") {
                try await harness.store.acknowledge(late)
            }
            try await requireError(.leaseExpired, from: "a late nack") {
                try await harness.store.nack(late.offsets, of: late, action: .deadLetter, reason: "late")
            }
            try await requireError(.leaseExpired, from: "a late release") {
                try await harness.store.release(late)
            }
            try await harness.requirePosition(0, of: subscription)
            try requireEqual(try await harness.deadLetters(of: subscription).count, 0, "dead letters")
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(2, of: subscription)
        },
        StoreCheck("expiry: the same consumer cannot use its old lease either") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            let late = try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(31))
            let lease = try await harness.lease(0..<1, as: consumer, attempt: 2)
            try await requireError(.leaseExpired, from: "acknowledging with the old lease") {
                try await harness.store.acknowledge(late)
            }
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.acknowledge(lease)
        },
        StoreCheck("expiry: a heartbeat extends leases when asked to") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(1, to: stream)
            let lease = try await harness.lease(0..<1, as: first)
            for _ in 0..<5 {
                harness.clock.advance(by: .seconds(29))
                try await harness.store.heartbeat(first, extending: .all)
                try await harness.requireNothing(for: second)
            }
            harness.clock.advance(by: .seconds(29))
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(1, of: subscription)
        },
        StoreCheck("expiry: a heartbeat that extends nothing leaves leases as they are") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(1, to: stream)
            _ = try await harness.lease(0..<1, as: first)
            harness.clock.advance(by: .seconds(20))
            try await harness.store.heartbeat(first, extending: .none)
            harness.clock.advance(by: .seconds(10))
            try await harness.lease(0..<1, as: second, attempt: 2)
        },
        StoreCheck("expiry: a heartbeat extends only the leases that it names") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(3, to: stream)
            let known = try await harness.lease(0..<1, as: first)
            _ = try await harness.lease(1..<2, as: first)
            let foreign = try await harness.lease(2..<3, as: second)
            harness.clock.advance(by: .seconds(20))
            try await harness.store.heartbeat(first, extending: .only([known.epoch, foreign.epoch, .max]))
            harness.clock.advance(by: .seconds(10))
            // Neither the lease that was not named nor that of another consumer has lasted.
            try await harness.lease(1..<2, as: second, attempt: 2)
            try await requireError(.leaseExpired, from: "acknowledging") {
                try await harness.store.acknowledge(foreign)
            }
            try await harness.store.acknowledge(known)
        },
        StoreCheck("expiry: a heartbeat does not bring an expired lease back") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            let lease = try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(30))
            try await harness.store.heartbeat(consumer, extending: .all)
            try await requireError(.leaseExpired, from: "acknowledging") {
                try await harness.store.acknowledge(lease)
            }
            try await harness.lease(0..<1, as: consumer, attempt: 2)
        },
        StoreCheck("expiry: leases expire one by one") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(2, to: stream)
            _ = try await harness.lease(0..<1, as: first)
            harness.clock.advance(by: .seconds(20))
            let later = try await harness.lease(1..<2, as: first)
            harness.clock.advance(by: .seconds(10))
            try await harness.lease(0..<1, as: second, attempt: 2)
            try await harness.requireNothing(for: second)
            try await harness.store.acknowledge(later)
        },
        StoreCheck("expiry: the wall clock decides nothing") { harness in
            let (stream, subscription, first) = try await harness.makeQueue { $0.consumerTimeout = .seconds(60) }
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<1, as: first)
            let failed = try await harness.lease(1..<2, as: first)
            try await harness.store.nack(failed.offsets, of: failed, reason: "no")
            let start = harness.clock.now
            for days in [365, -365, 20_000] {
                harness.clock.setWallClock(to: start + .seconds(86_400 * days))
                try await harness.requireNothing(for: second)
                try requireEqual(try await harness.store.expireConsumers(), [], "expired consumers")
            }
            harness.clock.advance(by: .seconds(1))
            harness.clock.setWallClock(to: start - .seconds(86_400))
            try await harness.lease(1..<2, as: second, attempt: 2)
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(1, of: subscription)
        },
        StoreCheck("expiry: after the last attempt an expired lease ends in the dead letters") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 2 }
            try await harness.append(1, to: stream)
            for attempt in 1...2 {
                try await harness.lease(0..<1, as: consumer, attempt: attempt)
                harness.clock.advance(by: .seconds(30))
            }
            _ = try await harness.store.expireConsumers()
            try await harness.requireNothing(for: consumer)
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.attempts), [2], "attempts of the dead letter")
            try await harness.requirePosition(1, of: subscription)
        },
        StoreCheck("expiry: the store ends expired leases when it is told to") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            _ = try await harness.lease(0..<2, as: consumer)
            harness.clock.advance(by: .seconds(30))
            try requireEqual(try await harness.store.expireConsumers(), [], "no consumer has expired")
            let progress = try await harness.progress(of: subscription)
            try requireEqual(progress.inFlight, 0, "in flight")
            try requireEqual(progress.waiting, 2, "waiting")
            try require(!progress.isFinished, "not finished")
        },
    ]
}
