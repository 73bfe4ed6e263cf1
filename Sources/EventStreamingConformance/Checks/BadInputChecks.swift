import EventStreamingCore
import EventStreamingTesting

enum BadInputChecks {
    /// Durations that overflow somewhere when nobody takes care.
    private static let durations: [Duration] = [
        .zero, .nanoseconds(-1), .seconds(-1), .seconds(Int64.max), .seconds(Int64.min),
        Duration(attoseconds: .max), Duration(attoseconds: .min), Duration(attoseconds: 1),
    ]

    static let all: [StoreCheck] = [
        StoreCheck("bad input: at least one attempt") { harness in
            let stream = try await harness.makeStream()
            for attempts in [0, -1, Int.min] {
                try await requireError(.invalidArgument, from: "\(attempts) attempts") {
                    _ = try await harness.makeSubscription(of: stream) { $0.retry.maximumAttempts = attempts }
                }
            }
            _ = try await harness.makeSubscription(of: stream) { $0.retry.maximumAttempts = .max }
        },
        StoreCheck("bad input: negative timeouts are invalid, huge ones last") { harness in
            for (index, duration) in durations.enumerated() {
                let stream = try await harness.makeStream("stream-\(index)")
                let refusal: () async throws -> Void = {
                    _ = try await harness.makeSubscription("refused-\(index)", of: stream) {
                        $0.visibilityTimeout = duration
                    }
                }
                if duration < .zero {
                    try await requireError(.invalidArgument, from: "visibility timeout \(duration)", refusal)
                } else {
                    try await allowError(.invalidArgument, from: "visibility timeout \(duration)", refusal)
                }
                for field in [\SubscriptionDefinition.visibilityTimeout, \.consumerTimeout] {
                    let name = "sub-\(index)-\(field == \.visibilityTimeout)"
                    try await allowError(.invalidArgument, .unknownConsumer, .leaseExpired, from: "\(duration)") {
                        let subscription = try await harness.makeSubscription(name, of: stream) {
                            $0[keyPath: field] = duration
                        }
                        let consumer = try await harness.register("c1", of: subscription)
                        try await harness.append(1, to: stream)
                        if case .lease(let lease) = try await harness.store.dequeue(as: consumer, limit: 1) {
                            try await harness.store.heartbeat(consumer, extending: .all)
                            try await harness.store.acknowledge(lease)
                        }
                    }
                }
            }
            _ = try await harness.store.expireConsumers()
        },
        StoreCheck("bad input: any numbers in a retry policy") { harness in
            let stream = try await harness.makeStream()
            for (index, duration) in durations.enumerated() {
                for (number, jitter) in [Double.nan, .infinity, -1, 2, 1e300].enumerated() {
                    try await allowError(.invalidArgument, from: "\(duration) with jitter \(jitter)") {
                        let subscription = try await harness.makeSubscription("sub-\(index)-\(number)", of: stream) {
                            $0.retry.initialDelay = duration
                            $0.retry.maximumDelay = duration
                            $0.retry.jitter = jitter
                        }
                        let consumer = try await harness.register("c1", of: subscription)
                        try await harness.append(1, to: stream)
                        let lease = try await harness.lease(as: consumer, limit: 1)
                        try await harness.store.nack(lease.offsets, of: lease, reason: "no")
                        _ = try await harness.store.dequeue(as: consumer, limit: 1)
                    }
                }
            }
        },
        StoreCheck("bad input: any delay of a retry") { harness in
            let (stream, _, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 1000 }
            harness.clock.advance(by: .seconds(10))
            try await harness.append(durations.count, to: stream)
            for duration in durations {
                let lease = try await harness.lease(as: consumer, limit: 1)
                try await allowError(.invalidArgument, from: "a delay of \(duration)") {
                    try await harness.store.nack(
                        lease.offsets,
                        of: lease,
                        action: .retry(after: duration),
                        reason: "no"
                    )
                    let isShort = duration <= .zero
                    let next = try await harness.store.dequeue(as: consumer, limit: 1)
                    if case .lease(let again) = next {
                        try require(
                            (again.offsets == lease.offsets) == isShort,
                            "after a delay of \(duration) the event came back at \(again.offsets)"
                        )
                        if isShort {
                            try await harness.store.acknowledge(again)
                        } else {
                            try await harness.store.release(again)
                        }
                    }
                }
            }
        },
        StoreCheck("bad input: offsets at the edge of what there can be") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let largest = StreamOffset(.max)
            try await harness.append(2, to: stream)
            let lease = try await harness.lease(0..<2, as: consumer)
            for range in [StreamOffset.zero..<largest, largest..<largest, StreamOffset(.max - 1)..<largest] {
                try await allowError(.invalidArgument, from: "acknowledging \(range)") {
                    try await harness.store.acknowledge(range, of: lease)
                    try require(range.isEmpty, "\(range) lies outside of the lease")
                }
            }
            _ = try await harness.store.offset(of: .offset(largest), in: stream)
            _ = try await harness.store.redrive(.zero..<largest, of: subscription.id)
            _ = try await harness.store.deadLetters(of: subscription.id, from: largest, limit: .max)
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.acknowledge(lease)
        },
        StoreCheck("bad input: a start at the largest offset") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(2, to: stream)
            for mode in [SubscriptionMode.exclusive, .broadcast] {
                try await allowError(.invalidArgument, from: "start at the largest offset") {
                    let subscription = try await harness.makeSubscription(mode.rawValue, of: stream, mode) {
                        $0.start = .offset(StreamOffset(.max))
                    }
                    let consumer = try await harness.register("c1", of: subscription)
                    try await harness.requireNothing(for: consumer)
                    _ = try await harness.store.progress(of: subscription.id)
                }
            }
            let result = try await harness.store.enqueue(harness.events(1), to: stream)
            try requireEqual(result.offsets, offsets(2, 3), "offsets of the next append")
        },
        StoreCheck("bad input: sizes that events only claim") { harness in
            let stream = try await harness.makeStream()
            for size in [Int.max, Int.min, -1, 0, Int.max] {
                let event = NewEvent(
                    id: harness.ids.next(),
                    type: EventType(name: "", version: size),
                    payload: .encoded([]),
                    size: size
                )
                try await allowError(.invalidArgument, from: "an event of size \(size)") {
                    _ = try await harness.store.enqueue([event], to: stream)
                }
            }
            _ = try await harness.store.metadata(of: stream)
            _ = try await harness.store.trim(stream, before: StreamOffset(.max))
            try requireEqual(try await harness.store.metadata(of: stream).bytes, 0, "bytes of no events")
        },
        StoreCheck("bad input: settlements in thousands of pieces") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(2000, to: stream)
            let lease = try await harness.lease(0..<2000, as: consumer)
            let even = stride(from: Int64(0), to: 2000, by: 2).map { offsets($0, $0 + 1) }
            try await harness.store.settle(
                Settlement(of: consumer, leaseEpoch: lease.epoch, completed: even.reversed())
            )
            try await harness.requirePosition(1, of: subscription)
            let odd = stride(from: Int64(1), to: 2000, by: 2).map { offsets($0, $0 + 1) }
            try await harness.store.settle(Settlement(of: consumer, leaseEpoch: lease.epoch, completed: odd))
            try await harness.requirePosition(2000, of: subscription)
        },
        StoreCheck("bad input: of two mistakes always the same is told") { harness in
            let unknown = try StreamName("nothing")
            for direction in [ReadDirection.forward, .backward] {
                try await requireError(.unknownStream, from: "reading \(direction) with a limit of -1") {
                    _ = try await harness.store.read(unknown, from: .zero, direction: direction, limit: -1)
                }
            }
            try await requireError(.unknownSubscription, from: "dead letters with a limit of -1") {
                _ = try await harness.store.deadLetters(of: SubscriptionID("nothing"), from: .zero, limit: -1)
            }
            try await requireError(.invalidArgument, from: "an append of nothing") {
                _ = try await harness.store.append(StreamAppend(stream: unknown, events: []))
            }
        },
    ]
}
