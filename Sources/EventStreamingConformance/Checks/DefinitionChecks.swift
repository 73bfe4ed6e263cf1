import EventStreamingCore
import EventStreamingTesting

enum DefinitionChecks {
    static let all: [StoreCheck] = [
        StoreCheck("definition: creating a stream again changes no events") { harness in
            let stream = try await harness.makeStream()
            let events = try await harness.append(2, to: stream)
            _ = try await harness.makeStream()
            try await harness.requireContent(stream, events)
        },
        StoreCheck("definition: a stream of another type is a conflict") { harness in
            let stream = try await harness.makeStream("orders", .persistent)
            try await requireError(.streamConflict, from: "creating it as a queue") {
                _ = try await harness.makeStream("orders", .ephemeral, capacity: 1)
            }
            try await harness.append(2, to: stream)
            try requireEqual(try await harness.store.metadata(of: stream).type, .persistent, "type")
        },
        StoreCheck("definition: capacities below 1 are invalid") { harness in
            for capacity in [0, -1, Int.min] {
                try await requireError(.invalidArgument, from: "capacity \(capacity)") {
                    _ = try await harness.makeStream(capacity: capacity)
                }
            }
            try await requireError(.unknownStream, from: "metadata of a stream that was refused") {
                _ = try await harness.store.metadata(of: StreamName("orders"))
            }
            _ = try await harness.makeStream(capacity: .max)
            try await requireError(.invalidArgument, from: "changing the capacity to 0") {
                _ = try await harness.makeStream(capacity: 0)
            }
        },
        StoreCheck("definition: names that differ in case are different") { harness in
            let lower = try await harness.makeStream("orders")
            let upper = try await harness.makeStream("Orders")
            try await harness.append(1, to: lower)
            try requireEqual(try await harness.store.metadata(of: upper).head, .zero, "head of the other stream")
        },
        StoreCheck("definition: a subscription needs its stream") { harness in
            try await requireError(.unknownStream, from: "subscribing to an unknown stream") {
                _ = try await harness.makeSubscription(of: try StreamName("nowhere"))
            }
            try await requireError(.unknownSubscription, from: "progress of a subscription that was refused") {
                _ = try await harness.store.progress(of: SubscriptionID("mailer"))
            }
        },
        StoreCheck("definition: another stream or mode is a conflict, and changes nothing") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let other = try await harness.makeStream("other")
            try await requireError(.subscriptionConflict, from: "another stream") {
                _ = try await harness.makeSubscription(of: other)
            }
            try await requireError(.subscriptionConflict, from: "another mode") {
                _ = try await harness.makeSubscription(of: stream, .broadcast)
            }
            try await harness.append(1, to: stream)
            try await harness.lease(0..<1, as: consumer)
            try await harness.requirePosition(0, of: subscription)
        },
        StoreCheck("definition: modes that the store does not have are unsupported") { harness in
            let stream = try await harness.makeStream()
            for mode in SubscriptionMode.allCases {
                try await allowError(.unsupported, from: "mode \(mode)") {
                    let subscription = try await harness.makeSubscription("sub-\(mode.rawValue)", of: stream, mode)
                    _ = try await harness.store.progress(of: subscription.id)
                }
            }
        },
        StoreCheck("definition: a change keeps positions") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            try await harness.store.acknowledge(lease)
            for start in [StartPosition.latest, .beginning, .offset(StreamOffset(5))] {
                let changed = try await harness.makeSubscription(of: stream) { $0.start = start }
                try await harness.requirePosition(2, of: changed)
            }
            let filtered = try await harness.makeSubscription(of: stream) { $0.eventTypes = ["Paid"] }
            try await harness.requirePosition(2, of: filtered)
            let unfiltered = try await harness.makeSubscription(of: stream)
            try await harness.requirePosition(2, of: unfiltered)
            try await harness.lease(2..<6, as: consumer)
        },
        StoreCheck("definition: a new filter counts for what is handed out next") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            for type in ["Ordered", "Paid", "Ordered", "Paid"] {
                try await harness.append(1, to: stream, type: type)
            }
            let first = try await harness.lease(0..<1, as: consumer)
            _ = try await harness.makeSubscription(of: stream) { $0.eventTypes = ["Paid"] }
            try await harness.store.acknowledge(first)
            var delivered: [Int64] = []
            try await harness.forEachLease(as: consumer) { lease in
                delivered += lease.events.map(\.offset.rawValue)
                try await harness.store.acknowledge(lease)
            }
            try requireEqual(delivered, [1, 3], "offsets delivered")
            try await harness.requirePosition(4, of: subscription)
        },
        StoreCheck("definition: a new visibility timeout counts for new leases") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            _ = try await harness.makeSubscription(of: stream) { $0.visibilityTimeout = .seconds(5) }
            _ = try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(5))
            try await harness.lease(0..<1, as: consumer, attempt: 2)
        },
        StoreCheck("definition: the same subscription twice changes nothing") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            _ = try await harness.makeSubscription(of: stream)
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(2, of: subscription)
        },
        StoreCheck("definition: what ran out before did so by the former definition") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 3 }
            try await harness.append(1, to: stream)
            try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(30))
            _ = try await harness.makeSubscription(of: stream) { $0.retry.maximumAttempts = 1 }
            try requireEqual(try await harness.progress(of: subscription).deadLetters, 0, "dead letters")
            try await harness.lease(0..<1, as: consumer, attempt: 2)
        },
        StoreCheck("definition: a broadcast's start is looked for when a consumer needs it") { harness in
            let stream = try await harness.makeStream()
            let id = harness.ids.next()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast) { $0.start = .event(id) }
            try await requireError(.unknownEvent, from: "a consumer that begins at an event to come") {
                _ = try await harness.register("c1", of: subscription)
            }
            try await harness.append(1, to: stream)
            _ = try await harness.store.enqueue([harness.event(id: id)], to: stream)
            try await harness.lease(1..<2, as: harness.register("c1", of: subscription))
        },
    ]
}
