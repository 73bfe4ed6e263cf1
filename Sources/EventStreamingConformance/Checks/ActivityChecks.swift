import EventStreamingCore
import EventStreamingTesting

enum ActivityChecks {
    static let all: [StoreCheck] = [
        StoreCheck("activity: finished events are counted in whatever order they are, and never twice") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(6, to: stream)
            try await requireFinished(0, harness, subscription)
            let lease = try await harness.lease(0..<4, as: consumer)
            try await requireFinished(0, harness, subscription)
            try await harness.store.acknowledge(offsets(2, 3), of: lease)
            try await requireFinished(1, harness, subscription)
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.nack(offsets(0, 1), of: lease, action: .deadLetter, reason: "poison")
            try await requireFinished(2, harness, subscription)
            try await harness.store.acknowledge(offsets(1, 2), of: lease)
            try await requireFinished(3, harness, subscription)
            _ = try await harness.store.redrive(offsets(0, 1), of: subscription.id)
            try await requireFinished(3, harness, subscription)
            try await harness.store.acknowledge(offsets(3, 4), of: lease)
            let redriven = try await harness.lease(0..<1, as: consumer, limit: 10)
            try await harness.store.acknowledge(redriven)
            try await requireFinished(4, harness, subscription)
            let position = StreamOffset(1)
            _ = try await harness.store.setOffset(position, of: nil, in: subscription.id, epoch: consumer.epoch)
            try await requireFinished(1, harness, subscription)
        },
        StoreCheck("activity: the first event that is held, by whom and in which attempt") { harness in
            let (stream, subscription, first) = try await harness.makeQueue()
            let second = try await harness.register("c2", of: subscription)
            try await harness.append(4, to: stream)
            try requireEqual(try await harness.progress(of: subscription).held, nil, "held before")
            let one = try await harness.lease(0..<2, as: first)
            let two = try await harness.lease(2..<4, as: second)
            try await requireHeld(0, "c1", attempt: 1, harness, subscription)
            try await harness.store.acknowledge(one)
            try await requireHeld(2, "c2", attempt: 1, harness, subscription)
            try await harness.store.nack(offsets(2, 3), of: two, action: .retry(after: .zero), reason: "no")
            try await requireHeld(3, "c2", attempt: 1, harness, subscription)
            try await harness.lease(2..<3, as: first, attempt: 2)
            try await requireHeld(2, "c1", attempt: 2, harness, subscription)
        },
        StoreCheck("activity: what waits for its time, and the event that comes again next") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<4, as: consumer)
            let failed = harness.clock.now
            for (offset, delay) in [(0, 60), (1, 20), (2, 0)] as [(Int64, Int)] {
                let range = offsets(offset, offset + 1)
                try await harness.store.nack(
                    range, of: lease, action: .retry(after: .seconds(delay)), reason: "failure \(offset)")
            }
            var progress = try await harness.progress(of: subscription)
            try requireEqual(progress.waiting, 3, "waiting")
            try requireEqual(progress.delayed, 2, "waiting for their time")
            let expected = RetriedEvent(
                offset: StreamOffset(1), attempts: 1, due: failed + .seconds(20), reason: "failure 1",
                lastFailure: failed)
            try requireEqual(progress.retry, expected, "what comes again next")
            harness.clock.advance(by: .seconds(20))
            progress = try await harness.progress(of: subscription)
            try requireEqual(progress.delayed, 1, "waiting for their time, later")
            try requireEqual(progress.retry?.offset, .zero, "what comes again next, later")
            harness.clock.advance(by: .seconds(40))
            progress = try await harness.progress(of: subscription)
            try requireEqual(progress.delayed, 0, "waiting for their time, at last")
            try requireEqual(progress.retry, nil, "what comes again next, at last")
        },
    ]

    private static func requireFinished(
        _ expected: Int,
        _ harness: StoreHarness,
        _ subscription: SubscriptionDefinition,
        line: Int = #line
    ) async throws {
        let finished = try await harness.progress(of: subscription, line: line).finished
        try requireEqual(finished, expected, "finished", line: line)
    }

    private static func requireHeld(
        _ offset: Int64,
        _ consumer: String,
        attempt: Int,
        _ harness: StoreHarness,
        _ subscription: SubscriptionDefinition,
        line: Int = #line
    ) async throws {
        let held = try await harness.progress(of: subscription, line: line).held
        let expected = HeldEvent(offset: StreamOffset(offset), consumer: try ConsumerID(consumer), attempt: attempt)
        try requireEqual(held, expected, "held", line: line)
    }
}
