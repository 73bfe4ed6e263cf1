import EventStreaming
import EventStreamingCore

enum ConsumingChecks {
    static let all: [DeliveryCheck] = [
        DeliveryCheck("consuming: events come in order, and settling moves the position") { harness in
            try await harness.publish(1...10)
            let consumer = try await harness.connect("queue", as: "a")
            var numbers: [Int] = []
            for lease in try await consumer.take(10) {
                numbers += lease.numbers
                try await consumer.finish(lease)
            }
            try requireEqual(numbers, Array(1...10), "the numbers")
            try requireEqual(try await harness.position(of: "queue"), 10, "the position")
            await consumer.consumer.close()
        },
        DeliveryCheck("consuming: whoever waits is told of what comes later") { harness in
            for subscription in ["queue", "news", "group", "once"] {
                let consumer = try await harness.connect(subscription, as: "a") { $0.start = nil }
                let begin = try await harness.service.metadata(of: DeliveryHarness.stream).length
                // What came for the subscriptions before.
                if begin > 0 {
                    for lease in try await consumer.take(Int(begin)) where lease.needsSettlement {
                        try await consumer.finish(lease)
                    }
                }
                for number in Int(begin) + 1...Int(begin) + 3 {
                    try await harness.publish(number...number)
                    let lease = try await consumer.next()
                    try requireEqual(lease.numbers, [number], "the event in \(subscription)")
                    if lease.needsSettlement { try await consumer.finish(lease) }
                }
                await consumer.consumer.close()
            }
        },
        DeliveryCheck("consuming: a settlement goes along with the next question") { harness in
            try await harness.publish(1...2)
            let consumer = try await harness.connect("queue", as: "a")
            var lease = try await consumer.next(1)
            var numbers = lease.numbers
            while numbers.count < 2 {
                lease = try await consumer.next(1, settling: consumer.settlement(lease))
                numbers += lease.numbers
            }
            try requireEqual(numbers, [1, 2], "the numbers")
            try await consumer.finish(lease)
            try requireEqual(try await harness.position(of: "queue"), 2, "the position")
            await consumer.consumer.close()
        },
        DeliveryCheck("consuming: what is rejected comes again, at last as a dead letter") { harness in
            try await harness.publish(1...1)
            let consumer = try await harness.connect("queue", as: "a")
            for attempt in 1...3 {
                let lease = try await consumer.next()
                try requireEqual(lease.attempt, attempt, "the attempt")
                try await consumer.reject(lease, .retry(after: .zero), "reason \(attempt)")
            }
            let dead = try await harness.service.deadLetters(of: "queue")
            try requireEqual(dead.map(\.reason), ["reason 3"], "the reasons of the dead letters")
            await consumer.consumer.close()
        },
        DeliveryCheck("consuming: a settlement that comes twice, or of what was not delivered, is refused") { harness in
            try await harness.publish(1...2)
            let consumer = try await harness.connect("queue", as: "a")
            var lease = try await consumer.next()
            if lease.events.count == 2 {
                try await consumer.finish(lease, 0..<1)
                try await requireError(.alreadySettled, from: "settling twice") {
                    try await consumer.finish(lease, 0..<1)
                }
                try await requireError(.invalidArgument, from: "settling too much") {
                    try await consumer.finish(lease, 1..<9)
                }
                try await consumer.finish(lease, 1..<2)
            } else {
                try await consumer.finish(lease)
                lease = try await consumer.next()
                try await consumer.finish(lease)
            }
            try await requireError(.leaseExpired, .alreadySettled, from: "settling a lease that is done") {
                try await consumer.finish(lease, 1..<2)
            }
            try requireEqual(try await harness.position(of: "queue"), 2, "the position")
            await consumer.consumer.close()
        },
        DeliveryCheck("consuming: at most once, nothing is to be settled") { harness in
            try await harness.publish(1...3)
            let consumer = try await harness.connect("once", as: "a")
            let leases = try await consumer.take(3)
            try require(leases.allSatisfy { !$0.needsSettlement }, "a lease must be settled, though at most once")
            try requireEqual(leases.flatMap(\.numbers), [1, 2, 3], "the numbers")
            await consumer.consumer.close()
        },
        DeliveryCheck("consuming: in a broadcast, each has all, from where it begins, and the types it chooses") {
            harness in
            let types = ["A", "B", "A", "B"]
            let events = types.enumerated().map { harness.event($0.offset + 1, type: $0.element) }
            _ = try await harness.provider.publish([try harness.append(events)])[0].get()
            for (name, start, filter, expected) in [
                ("a", nil as StartPosition?, nil as Set<String>?, [1, 2, 3, 4]),
                ("b", .offset(StreamOffset(2)), nil, [3, 4]), ("c", nil, ["B"], [2, 4]),
            ] {
                let consumer = try await harness.connect("news", as: name) { request in
                    request.start = start
                    request.eventTypes = filter
                }
                var numbers: [Int] = []
                while numbers.count < expected.count {
                    let lease = try await consumer.next()
                    numbers += lease.numbers
                    for event in lease.events {
                        try await consumer.finish(lease, event.offset.rawValue..<event.offset.rawValue + 1)
                    }
                }
                try requireEqual(numbers, expected, "what \(name) got")
                try requireEqual(try await harness.position(of: "news", name), 4, "the position of \(name)")
                await consumer.consumer.close()
            }
        },
        DeliveryCheck("consuming: competing consumers get each event once") { harness in
            let consumers = [
                try await harness.connect("queue", as: "a"), try await harness.connect("queue", as: "b"),
            ]
            try await harness.publish(1...40)
            let seen = SeenNumbers()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for consumer in consumers {
                    group.addTask {
                        while seen.count < 40 {
                            let count = consumer.changes.count
                            guard case .lease(let lease) = try await consumer.consumer.dequeue(limit: 5, settling: nil)
                            else {
                                _ = await consumer.changes.wait(since: count)
                                continue
                            }
                            try await consumer.finish(lease)
                            if seen.add(lease.numbers) >= 40 {
                                // The other one need not wait for more.
                                for other in consumers { other.changes.add() }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            try requireEqual(seen.sorted, Array(1...40), "the events of both")
            for consumer in consumers { await consumer.consumer.close() }
        },
    ]
}
