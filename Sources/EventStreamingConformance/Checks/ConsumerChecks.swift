import EventStreamingCore
import EventStreamingTesting

enum ConsumerChecks {
    static let all: [StoreCheck] = [
        StoreCheck("consumers: epochs grow with every registration") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream)
            let other = try await harness.makeSubscription("other", of: stream)
            var last: UInt64?
            for (name, definition) in [("a", subscription), ("b", other), ("a", subscription), ("a", other)] {
                let registration = try await harness.register(name, of: definition)
                try requireEqual(registration.consumer.rawValue, name, "name")
                try requireEqual(registration.subscription, definition.id, "subscription")
                try require(last.map { $0 < registration.epoch } ?? true, "epochs grow")
                last = registration.epoch
            }
        },
        StoreCheck("consumers: a created consumer has a position and is not connected") { harness in
            let stream = try await harness.makeStream("orders", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let name = try ConsumerID("c1")
            try await harness.store.createConsumer(name, of: subscription.id, start: nil)
            let created = try await harness.store.consumers(of: subscription.id)
            try requireEqual(created.map(\.id), [name], "consumers")
            try requireEqual(created.map(\.isConnected), [false], "connected")
            try await harness.append(2, to: stream)
            let registration = try await harness.register("c1", of: subscription)
            _ = try await harness.lease(0..<2, as: registration)
            // A consumer that is known is left alone.
            try await harness.store.createConsumer(name, of: subscription.id, start: .latest)
            try await harness.store.heartbeat(registration, extending: .all)
            try requireEqual(try await harness.store.consumers(of: subscription.id).map(\.inFlight), [2], "in flight")
        },
        StoreCheck("consumers: an unknown subscription") { harness in
            let id = try SubscriptionID("nothing")
            let name = try ConsumerID("c1")
            try await requireError(.unknownSubscription, from: "registerConsumer") {
                _ = try await harness.store.registerConsumer(name, of: id, kind: .durable, start: nil)
            }
            try await requireError(.unknownSubscription, from: "createConsumer") {
                try await harness.store.createConsumer(name, of: id, start: nil)
            }
            try await requireError(.unknownSubscription, from: "removeConsumer") {
                _ = try await harness.store.removeConsumer(name, of: id)
            }
            try await requireError(.unknownSubscription, from: "consumers") {
                _ = try await harness.store.consumers(of: id)
            }
            try await requireError(.unknownSubscription, from: "progress") {
                _ = try await harness.store.progress(of: id)
            }
        },
        StoreCheck("consumers: a registration takes over from the one before, and its events at once") { harness in
            let (stream, subscription, old) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: old)
            let new = try await harness.register("c1", of: subscription)
            let next = try await harness.lease(0..<2, as: new, attempt: 2)
            try await requireError(.consumerReplaced, from: "dequeue by the replaced consumer") {
                _ = try await harness.store.dequeue(as: old, limit: 1)
            }
            try await requireError(.consumerReplaced, from: "acknowledging by the replaced consumer") {
                try await harness.store.acknowledge(lease)
            }
            try await requireError(.consumerReplaced, from: "heartbeat of the replaced consumer") {
                try await harness.store.heartbeat(old, extending: .all)
            }
            try await requireError(.consumerReplaced, from: "unregistering the replaced consumer") {
                try await harness.store.unregisterConsumer(old)
            }
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.acknowledge(next)
            try await harness.requirePosition(2, of: subscription)
        },
        StoreCheck("consumers: the new registration cannot use the old one's lease") { harness in
            let (stream, subscription, old) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            let lease = try await harness.lease(0..<1, as: old)
            let new = try await harness.register("c1", of: subscription)
            try await requireError(.leaseExpired, .invalidArgument, from: "settling the old lease") {
                try await harness.store.settle(
                    Settlement(of: new, leaseEpoch: lease.epoch, completed: [offsets(0, 1)])
                )
            }
            try await harness.requirePosition(0, of: subscription)
        },
        StoreCheck("consumers: unregistering makes events available at once") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(4, to: stream)
            let kept = try await harness.lease(0..<2, as: first)
            let released = try await harness.lease(2..<4, as: first)
            try await harness.store.release(released)
            try await harness.store.unregisterConsumer(first)
            var attempts: [Int64: Int] = [:]
            try await harness.forEachLease(as: second) { lease in
                for event in lease.events {
                    attempts[event.offset.rawValue] = lease.attempt
                }
            }
            try requireEqual(attempts, [0: 2, 1: 2, 2: 1, 3: 1], "attempts of the events that were given up")
            try await requireError(.leaseExpired, .unknownConsumer, from: "acknowledging afterwards") {
                try await harness.store.acknowledge(kept)
            }
            for call in 0..<3 {
                try await requireError(.unknownConsumer, from: "call \(call) of an unregistered consumer") {
                    switch call {
                    case 0: _ = try await harness.store.dequeue(as: first, limit: 1)
                    case 1: try await harness.store.heartbeat(first, extending: .none)
                    default: try await harness.store.unregisterConsumer(first)
                    }
                }
            }
        },
        StoreCheck("consumers: durable ones stay listed, temporary ones do not") { harness in
            let (stream, subscription, durable) = try await harness.makeQueue()
            let temporary = try await harness.register("b1", of: subscription, kind: .temporary)
            try await harness.append(3, to: stream)
            let start = harness.clock.now
            harness.clock.advance(by: .seconds(5))
            _ = try await harness.lease(0..<2, as: durable)
            let both = try await harness.store.consumers(of: subscription.id)
            try requireEqual(both.map(\.id.rawValue), ["b1", "c1"], "names in order")
            try requireEqual(both.map(\.kind), [.temporary, .durable], "kinds")
            try requireEqual(both.map(\.epoch), [temporary.epoch, durable.epoch], "epochs")
            try requireEqual(both.map(\.isConnected), [true, true], "connected")
            try requireEqual(both.map(\.inFlight), [0, 2], "in flight")
            try requireEqual(both.map(\.registeredAt), [start, start], "registered")
            try requireEqual(both.map(\.lastSeenAt), [start, start + .seconds(5)], "last seen")
            try await harness.store.unregisterConsumer(temporary)
            try await harness.store.unregisterConsumer(durable)
            let left = try await harness.store.consumers(of: subscription.id)
            try requireEqual(left.map(\.id.rawValue), ["c1"], "names after both left")
            try requireEqual(left.map(\.isConnected), [false], "connected after both left")
            try requireEqual(left.map(\.inFlight), [0], "in flight after both left")
        },
        StoreCheck("consumers: a durable position outlives its consumer, a temporary one does not") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            try await harness.append(4, to: stream)
            for kind in ConsumerKind.allCases {
                let consumer = try await harness.register(kind.rawValue, of: subscription, kind: kind)
                let lease = try await harness.lease(0..<3, as: consumer)
                try await harness.store.acknowledge(lease)
                try await harness.store.unregisterConsumer(consumer)
            }
            let positions = try await harness.store.progress(of: subscription.id)
            try requireEqual(positions.map { $0.consumer?.rawValue }, ["durable"], "positions left")
            let durable = try await harness.register("durable", of: subscription, start: .beginning)
            try await harness.lease(3..<4, as: durable, limit: 100)
            let temporary = try await harness.register("temporary", of: subscription, kind: .temporary)
            try await harness.lease(0..<4, as: temporary)
        },
        StoreCheck("consumers: removing one ends everything of it") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            try await harness.append(3, to: stream)
            let connected = try await harness.register("connected", of: subscription)
            let gone = try await harness.register("gone", of: subscription)
            try await harness.store.unregisterConsumer(gone)
            let lease = try await harness.lease(0..<2, as: connected)
            for name in [connected.consumer, gone.consumer] {
                let removed = try await harness.store.removeConsumer(name, of: subscription.id)
                try require(removed, "there was a consumer \(name)")
                let again = try await harness.store.removeConsumer(name, of: subscription.id)
                try require(!again, "there is no consumer \(name) any more")
            }
            try requireEqual(try await harness.store.consumers(of: subscription.id), [], "consumers")
            try requireEqual(try await harness.store.progress(of: subscription.id), [], "positions")
            try await requireError(.unknownConsumer, from: "dequeue by a removed consumer") {
                _ = try await harness.store.dequeue(as: connected, limit: 1)
            }
            try await requireError(.leaseExpired, .unknownConsumer, from: "acknowledging by a removed consumer") {
                try await harness.store.acknowledge(lease)
            }
            let fresh = try await harness.register("connected", of: subscription)
            try await harness.lease(0..<3, as: fresh)
        },
        StoreCheck("consumers: removing a competing one keeps the shared position") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(4, to: stream)
            let done = try await harness.lease(0..<1, as: first)
            try await harness.store.acknowledge(done)
            _ = try await harness.lease(1..<3, as: first)
            let removed = try await harness.store.removeConsumer(first.consumer, of: subscription.id)
            try require(removed, "there was a consumer")
            try await harness.requirePosition(1, of: subscription)
            try await harness.lease(1..<3, as: second, attempt: 2)
            try await harness.lease(3..<4, as: second)
        },
    ]
}
