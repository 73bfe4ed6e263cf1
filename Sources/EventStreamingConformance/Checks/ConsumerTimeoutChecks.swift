import EventStreamingCore
import EventStreamingTesting

enum ConsumerTimeoutChecks {
    private static func makeQueue(
        _ harness: StoreHarness
    ) async throws -> (stream: StreamName, subscription: SubscriptionDefinition, consumer: ConsumerRegistration) {
        try await harness.makeQueue {
            $0.visibilityTimeout = .seconds(1000)
            $0.consumerTimeout = .seconds(10)
        }
    }

    static let all: [StoreCheck] = [
        StoreCheck("consumer timeout: without a sign of life a registration and its leases end") { harness in
            let (stream, subscription, first) = try await makeQueue(harness)
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: first)
            harness.clock.advance(by: .seconds(5))
            let second = try await harness.register("c2", of: subscription)
            harness.clock.advance(by: .seconds(5) - .nanoseconds(1))
            try await harness.requireNothing(for: second)
            harness.clock.advance(by: .nanoseconds(1))
            try await harness.lease(0..<2, as: second, attempt: 2)
            for call in 0..<3 {
                try await requireError(.unknownConsumer, from: "call \(call) of an expired consumer") {
                    switch call {
                    case 0: _ = try await harness.store.dequeue(as: first, limit: 1)
                    case 1: try await harness.store.heartbeat(first, extending: .all)
                    default: try await harness.store.unregisterConsumer(first)
                    }
                }
            }
            try await requireError(.leaseExpired, .unknownConsumer, from: "acknowledging by an expired consumer") {
                try await harness.store.acknowledge(lease)
            }
            try await harness.requirePosition(0, of: subscription)
        },
        StoreCheck("consumer timeout: heartbeats and dequeues are signs of life") { harness in
            let (stream, subscription, first) = try await makeQueue(harness)
            let second = try await harness.register("c2", of: subscription)
            for round in 0..<6 {
                harness.clock.advance(by: .seconds(9))
                try await harness.store.heartbeat(first, extending: round.isMultiple(of: 2) ? .all : .none)
                try await harness.requireNothing(for: second)
            }
            try requireEqual(try await harness.store.expireConsumers(), [], "expired consumers")
            try await harness.append(1, to: stream)
            try await harness.lease(0..<1, as: first)
        },
        StoreCheck("consumer timeout: the store tells who expired, once") { harness in
            let (_, subscription, first) = try await makeQueue(harness)
            let second = try await harness.register("c2", of: subscription, kind: .temporary)
            harness.clock.advance(by: .seconds(6))
            try await harness.store.heartbeat(second, extending: .none)
            harness.clock.advance(by: .seconds(4))
            try requireEqual(try await harness.store.expireConsumers(), [first], "expired first")
            try requireEqual(try await harness.store.expireConsumers(), [], "nobody else")
            let consumers = try await harness.store.consumers(of: subscription.id)
            try requireEqual(consumers.map(\.id.rawValue), ["c1", "c2"], "names")
            try requireEqual(consumers.map(\.isConnected), [false, true], "connected")
            harness.clock.advance(by: .seconds(6))
            try requireEqual(try await harness.store.expireConsumers(), [second], "expired then")
            let left = try await harness.store.consumers(of: subscription.id)
            try requireEqual(left.map(\.id.rawValue), ["c1"], "an expired temporary consumer is gone")
        },
        StoreCheck("consumer timeout: expired consumers look disconnected before anybody asks") { harness in
            let (stream, subscription, first) = try await makeQueue(harness)
            try await harness.append(2, to: stream)
            _ = try await harness.lease(0..<2, as: first)
            harness.clock.advance(by: .seconds(10))
            let consumers = try await harness.store.consumers(of: subscription.id)
            try requireEqual(consumers.map(\.isConnected), [false], "connected")
            try requireEqual(try await harness.progress(of: subscription).inFlight, 0, "in flight")
        },
        StoreCheck("consumer timeout: the position of a broadcast's temporary consumer goes with it") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast) {
                $0.consumerTimeout = .seconds(10)
            }
            try await harness.append(3, to: stream)
            for kind in ConsumerKind.allCases {
                let consumer = try await harness.register(kind.rawValue, of: subscription, kind: kind)
                let lease = try await harness.lease(0..<2, as: consumer)
                try await harness.store.acknowledge(lease)
            }
            harness.clock.advance(by: .seconds(10))
            let expired = try await harness.store.expireConsumers()
            try requireEqual(Set(expired.map(\.consumer.rawValue)), ["durable", "temporary"], "expired consumers")
            let positions = try await harness.store.progress(of: subscription.id)
            try requireEqual(positions.map { $0.consumer?.rawValue }, ["durable"], "positions")
            let durable = try await harness.register("durable", of: subscription)
            try await harness.lease(2..<3, as: durable, limit: 100)
        },
        StoreCheck("consumer timeout: an expired name can register again") { harness in
            let (stream, subscription, first) = try await makeQueue(harness)
            try await harness.append(1, to: stream)
            _ = try await harness.lease(0..<1, as: first)
            harness.clock.advance(by: .seconds(11))
            let again = try await harness.register("c1", of: subscription)
            try require(again.epoch > first.epoch, "the epoch grows")
            let lease = try await harness.lease(0..<1, as: again, attempt: 2)
            try await requireError(.consumerReplaced, from: "heartbeat of the old registration") {
                try await harness.store.heartbeat(first, extending: .all)
            }
            try await harness.store.acknowledge(lease)
        },
    ]
}
