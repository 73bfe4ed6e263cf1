import EventStreamingCore

enum BroadcastChecks {
    static let all: [StoreCheck] = [
        StoreCheck("broadcast: every consumer gets every event") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            try await harness.append(3, to: stream)
            for name in ["a", "b", "c"] {
                let consumer = try await harness.register(name, of: subscription)
                let lease = try await harness.lease(0..<3, as: consumer, limit: 100)
                try await harness.store.acknowledge(lease)
                try await harness.requireNothing(for: consumer)
            }
        },
        StoreCheck("broadcast: a slow or failing consumer does not hold the others") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let slow = try await harness.register("slow", of: subscription)
            let failing = try await harness.register("failing", of: subscription)
            let quick = try await harness.register("quick", of: subscription)
            try await harness.append(4, to: stream)
            _ = try await harness.lease(0..<2, as: slow)
            let failed = try await harness.lease(0..<1, as: failing)
            try await harness.store.nack(failed.offsets, of: failed, reason: "no")
            let all = try await harness.lease(0..<4, as: quick)
            try await harness.store.acknowledge(all)
            try await harness.requirePosition(0, of: subscription, consumer: "slow")
            try await harness.requirePosition(0, of: subscription, consumer: "failing")
            try await harness.requirePosition(4, of: subscription, consumer: "quick")
            let progress = try await harness.store.progress(of: subscription.id)
            try requireEqual(progress.map { $0.consumer?.rawValue }, ["failing", "quick", "slow"], "names in order")
            try requireEqual(progress.map(\.inFlight), [0, 0, 2], "in flight")
            try requireEqual(progress.map(\.waiting), [1, 0, 0], "waiting")
            try requireEqual(progress.map(\.lag), [4, 0, 4], "lag")
            try requireEqual(progress.map(\.isFinished), [false, true, false], "finished")
        },
        StoreCheck("broadcast: attempts and retries are those of one consumer") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let first = try await harness.register("first", of: subscription)
            let second = try await harness.register("second", of: subscription)
            try await harness.append(1, to: stream)
            for attempt in 1...3 {
                let lease = try await harness.lease(0..<1, as: first, attempt: attempt)
                try await harness.store.nack(lease.offsets, of: lease, action: .retry(after: .zero), reason: "no")
            }
            try await harness.lease(0..<1, as: second, attempt: 1)
            try await harness.lease(0..<1, as: first, attempt: 4)
        },
        StoreCheck("broadcast: a consumer that was away finds what came meanwhile") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.append(1, to: stream)
            let lease = try await harness.lease(0..<1, as: consumer)
            try await harness.store.acknowledge(lease)
            try await harness.store.unregisterConsumer(consumer)
            try await harness.append(3, to: stream)
            try await harness.requirePosition(1, of: subscription, consumer: "c1")
            let again = try await harness.register("c1", of: subscription, start: .latest)
            try await harness.lease(1..<4, as: again)
        },
        StoreCheck("broadcast: what a consumer held is its own again after it comes back") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: consumer)
            try await harness.store.acknowledge(offsets(1, 2), of: lease)
            try await harness.store.unregisterConsumer(consumer)
            let again = try await harness.register("c1", of: subscription)
            try await harness.lease(0..<1, as: again, attempt: 2)
            try await harness.lease(2..<3, as: again, attempt: 2)
            try await harness.requirePosition(0, of: subscription, consumer: "c1")
        },
        StoreCheck("broadcast: consumers cannot settle each other's leases") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let first = try await harness.register("first", of: subscription)
            let second = try await harness.register("second", of: subscription)
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: first)
            try await requireError(.leaseExpired, .invalidArgument, from: "settling another's lease") {
                try await harness.store.settle(
                    Settlement(of: second, leaseEpoch: lease.epoch, completed: [offsets(0, 2)])
                )
            }
            try await harness.requirePosition(0, of: subscription, consumer: "first")
            try await harness.requirePosition(0, of: subscription, consumer: "second")
        },
    ]
}
