import EventStreaming
import EventStreamingCore

enum ConsumerLifeChecks {
    static let all: [DeliveryCheck] = [
        DeliveryCheck("consumers: what cannot be consumed is refused with its code") { harness in
            try await requireError(.unknownSubscription, from: "an unknown subscription") {
                _ = try await harness.connect("nothing")
            }
            try await requireError(.unsupported, from: "a filter where the position is shared") {
                _ = try await harness.connect("queue") { $0.eventTypes = ["A"] }
            }
            try await requireError(.unknownEvent, from: "a start at an event that is not there") {
                _ = try await harness.connect("news", as: "a") { $0.start = .event(MessageID(high: 9, low: 9)) }
            }
        },
        DeliveryCheck("consumers: are registered and listed, know their terms, and leave") { harness in
            for (name, mode) in [
                ("queue", SubscriptionMode.exclusive), ("news", .broadcast), ("group", .consumerGroup),
            ] {
                let consumer = try await harness.connect(name, as: "a").consumer
                try requireEqual(consumer.registration.subscription.rawValue, name, "the subscription")
                try requireEqual(consumer.registration.consumer.rawValue, "a", "the name")
                let definition = try harness.service.subscriptionDefinition(name)
                try requireEqual(consumer.terms, ConsumerTerms(definition), "the terms of \(name)")
                try requireEqual(consumer.terms.mode, mode, "the mode of \(name)")
                let listed = try await harness.service.consumers(of: name)
                try requireEqual(listed.map(\.epoch), [consumer.registration.epoch], "the epochs listed")
                try require(listed.allSatisfy(\.isConnected), "the consumer is listed as not connected")
                await consumer.close()
                await consumer.close()
                let left = try await harness.service.consumers(of: name)
                try require(left.allSatisfy { !$0.isConnected }, "the consumer is connected after it was closed")
            }
        },
        DeliveryCheck("consumers: without a name, one is made up, and goes with it") { harness in
            let first = try await harness.connect("queue").consumer
            let second = try await harness.connect("queue").consumer
            try require(first.registration.consumer != second.registration.consumer, "two consumers have one name")
            await first.close()
            await second.close()
            try require(try await harness.service.consumers(of: "queue").isEmpty, "a temporary consumer is left over")
        },
        DeliveryCheck("consumers: what one held when it left goes to others") { harness in
            try await harness.publish(1...3)
            let first = try await harness.connect("queue", as: "a")
            let leases = try await first.take(3)
            try await first.finish(leases[0], 0..<1)
            await first.consumer.close()
            let second = try await harness.connect("queue", as: "b")
            var numbers: [Int] = []
            while numbers.count < 2 {
                let lease = try await second.next()
                numbers += lease.numbers
                try await second.finish(lease)
            }
            try requireEqual(numbers.sorted(), [2, 3], "the numbers that were left")
            await second.consumer.close()
        },
        DeliveryCheck("consumers: one of the same name takes over, and the first can do nothing more") { harness in
            try await harness.publish(1...2)
            let first = try await harness.connect("queue", as: "a")
            let held = try await first.next()
            let second = try await harness.connect("queue", as: "a")
            try require(
                second.consumer.registration.epoch > first.consumer.registration.epoch,
                "the epoch of the second registration is not greater"
            )
            try await requireError(.consumerReplaced, from: "settling after the takeover") {
                try await first.finish(held)
            }
            try await requireError(.consumerReplaced, from: "a sign of life after the takeover") {
                try await first.consumer.heartbeat(extending: .all)
            }
            try await requireError(.consumerReplaced, from: "asking after the takeover") {
                _ = try await first.consumer.dequeue(limit: 1, settling: nil)
            }
            await first.consumer.close()
            let leases = try await second.take(2)
            try requireEqual(leases.flatMap(\.numbers), [1, 2], "what the second one got")
            for lease in leases { try await second.finish(lease) }
            try requireEqual(try await harness.position(of: "queue"), 2, "the position")
            await second.consumer.close()
        },
        DeliveryCheck("consumers: read receipts where there are none are refused") { harness in
            let consumer = try await harness.connect("queue", as: "a").consumer
            try await requireError(.unsupported, from: "marking as read") {
                _ = try await consumer.markRead(.unread(before: nil))
            }
            await consumer.close()
        },
    ]
}
