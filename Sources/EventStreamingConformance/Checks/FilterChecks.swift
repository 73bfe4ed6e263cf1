import EventStreamingCore

enum FilterChecks {
    static let all: [StoreCheck] = [
        StoreCheck("filter: only the named types are delivered") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.eventTypes = ["Paid", "Sent"] }
            let events = ["Ordered", "Paid", "Ordered", "Sent", "Paid v2", "Ordered"].map { harness.event(type: $0) }
            _ = try await harness.store.enqueue(events, to: stream)
            var delivered: [Int64] = []
            try await harness.forEachLease(as: consumer) { lease in
                delivered += lease.events.map(\.offset.rawValue)
                try require(!lease.events.isEmpty, "a lease has events")
                try await harness.store.acknowledge(lease)
            }
            try requireEqual(delivered, [1, 3], "offsets delivered")
            try await harness.requirePosition(6, of: subscription)
            try require(try await harness.progress(of: subscription).isFinished, "everything is done")
        },
        StoreCheck("filter: events that nobody wants do not hold the position") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.eventTypes = ["Paid"] }
            try await harness.append(50, to: stream)
            try await harness.requireNothing(for: consumer)
            try await harness.requirePosition(50, of: subscription)
        },
        StoreCheck("filter: the version of a type does not matter") { harness in
            let (stream, _, consumer) = try await harness.makeQueue { $0.eventTypes = ["Paid"] }
            let event = NewEvent(
                id: harness.ids.next(),
                type: EventType(name: "Paid", version: 7),
                payload: .encoded([]),
                size: 0
            )
            _ = try await harness.store.enqueue([event], to: stream)
            try await harness.lease(0..<1, as: consumer)
        },
        StoreCheck("filter: acknowledging only what was delivered finishes the rest too") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.eventTypes = ["Paid"] }
            for type in ["Ordered", "Paid", "Ordered", "Paid", "Ordered"] {
                try await harness.append(1, to: stream, type: type)
            }
            try await harness.forEachLease(as: consumer) { lease in
                for event in lease.events {
                    try await harness.store.acknowledge(event.offset..<event.offset.advanced(by: 1), of: lease)
                }
            }
            try await harness.requirePosition(5, of: subscription)
        },
        StoreCheck("filter: giving a lease back does not deliver what was passed over") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.eventTypes = ["Paid"] }
            for type in ["Paid", "Ordered", "Paid"] {
                try await harness.append(1, to: stream, type: type)
            }
            let first = try await harness.lease(as: consumer, limit: 10)
            try await harness.store.nack(first.offsets, of: first, action: .retry(after: .zero), reason: "no")
            var attempts: [Int64: Int] = [:]
            try await harness.forEachLease(as: consumer) { lease in
                for event in lease.events {
                    attempts[event.offset.rawValue] = lease.attempt
                }
                try await harness.store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "no")
            }
            try requireEqual(Set(attempts.keys), [0, 2], "offsets delivered")
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.event.offset.rawValue), [0, 2], "dead letters")
            try await harness.requirePosition(3, of: subscription)
        },
        StoreCheck("filter: many who ask at once get what each wants, once and in order") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream) {
                $0.mode = .broadcast
                $0.eventTypes = ["Paid"]
            }
            var consumers: [ConsumerRegistration] = []
            for index in 0..<6 {
                consumers.append(try await harness.register("c\(index)", of: subscription))
            }
            let types = (0..<160).map { $0 % 4 == 3 ? "Paid" : "Ordered" }
            _ = try await harness.store.enqueue(types.map { harness.event(type: $0) }, to: stream)
            let wanted = types.indices.filter { types[$0] == "Paid" }.map(Int64.init)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, consumer) in consumers.enumerated() {
                    group.addTask {
                        // Each at its own pace, so that what they ask for together overlaps.
                        var delivered: [Int64] = []
                        while delivered.count < wanted.count {
                            let limit = 1 + (index + delivered.count) % 5
                            let lease = try await harness.lease(as: consumer, limit: limit)
                            let offsets = lease.events.map(\.offset.rawValue)
                            let next = Array(wanted.dropFirst(delivered.count).prefix(offsets.count))
                            try require(1...limit ~= offsets.count, "\(offsets.count) events for a limit of \(limit)")
                            try requireEqual(offsets, next, "offsets delivered to \(consumer.consumer)")
                            delivered += offsets
                            try await harness.store.acknowledge(lease)
                        }
                    }
                }
                try await group.waitForAll()
            }
        },
        StoreCheck("filter: an ephemeral stream drops what was passed over") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream) { $0.eventTypes = ["Paid"] }
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.append(3, to: stream)
            try await harness.requireNothing(for: consumer)
            try requireEqual(try await harness.store.metadata(of: stream).count, 0, "count")
        },
        StoreCheck("filter: no types at all delivers nothing") { harness in
            let stream = try await harness.makeStream()
            try await allowError(.invalidArgument, from: "a subscription to no types") {
                let subscription = try await harness.makeSubscription(of: stream) { $0.eventTypes = [] }
                let consumer = try await harness.register("c1", of: subscription)
                try await harness.append(3, to: stream)
                try await harness.requireNothing(for: consumer)
                try await harness.requirePosition(3, of: subscription)
            }
        },
    ]
}
