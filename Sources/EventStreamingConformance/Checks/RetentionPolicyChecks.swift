import EventStreamingCore
import EventStreamingTesting

enum RetentionPolicyChecks {
    static let all: [StoreCheck] = [
        StoreCheck("retention: without a policy everything stays") { harness in
            let stream = try await harness.makeStream()
            let events = try await harness.append(5, to: stream)
            harness.clock.advance(by: .days(1000))
            let result = try await harness.store.applyRetention(to: stream)
            try requireEqual(result, RetentionResult(removed: offsets(0, 0)), "result")
            try await harness.requireContent(stream, events)
            try requireEqual(try await harness.store.metadata(of: stream).retention, .forever, "retention")
        },
        StoreCheck("retention: nothing goes before the policy is applied") { harness in
            let policy = RetentionPolicy(maximumAge: .seconds(1), maximumCount: 1, maximumBytes: 1)
            let stream = try await harness.makeStream(retention: policy)
            var events = try await harness.append(3, to: stream)
            harness.clock.advance(by: .days(1))
            events += try await harness.append(3, to: stream)
            try await harness.requireContent(stream, events)
            try requireEqual(try await harness.store.metadata(of: stream).retention, policy, "retention")
        },
        StoreCheck("retention: by count, exactly") { harness in
            let stream = try await harness.makeStream(retention: .maxCount(4))
            let events = try await harness.append(4, to: stream)
            try await removes(harness, stream, 0, 0)
            try await harness.requireContent(stream, events)
            let more = try await harness.append(3, to: stream)
            try await removes(harness, stream, 0, 3)
            try await keeps(harness, stream, Array((events + more).dropFirst(3)), from: 3)
            try await removes(harness, stream, 3, 3)
            try await harness.append(100, to: stream)
            try await removes(harness, stream, 3, 103)
        },
        StoreCheck("retention: by age, exactly") { harness in
            let stream = try await harness.makeStream(retention: .maxAge(.seconds(60)))
            var events: [NewEvent] = []
            for _ in 0..<3 {
                events += try await harness.append(2, to: stream)
                harness.clock.advance(by: .seconds(10))
            }
            harness.clock.advance(by: .seconds(30))
            try await removes(harness, stream, 0, 0)
            harness.clock.advance(by: .nanoseconds(1))
            try await removes(harness, stream, 0, 2)
            try await keeps(harness, stream, Array(events.dropFirst(2)), from: 2)
            harness.clock.advance(by: .seconds(10) - .nanoseconds(1))
            try await removes(harness, stream, 2, 2)
            harness.clock.advance(by: .nanoseconds(1))
            try await removes(harness, stream, 2, 4)
            harness.clock.advance(by: .days(10_000))
            try await removes(harness, stream, 4, 6)
            try await keeps(harness, stream, [], from: 6)
            try await removes(harness, stream, 6, 6)
        },
        StoreCheck("retention: by bytes, exactly") { harness in
            let stream = try await harness.makeStream(retention: .maxBytes(10))
            let sizes = [4, 0, 3, 3, 0, 4]
            let events = sizes.map { harness.event(String(repeating: "x", count: $0)) }
            for event in events {
                _ = try await harness.store.enqueue([event], to: stream)
            }
            try await removes(harness, stream, 0, 1)
            try await keeps(harness, stream, Array(events.dropFirst()), from: 1, bytes: 10)
            try await removes(harness, stream, 1, 1)
            let large = harness.event(String(repeating: "x", count: 10))
            _ = try await harness.store.enqueue([large], to: stream)
            try await removes(harness, stream, 1, 6)
            try await keeps(harness, stream, [large], from: 6, bytes: 10)
            _ = try await harness.store.enqueue([harness.event(String(repeating: "x", count: 11))], to: stream)
            try await removes(harness, stream, 6, 8)
            try await keeps(harness, stream, [], from: 8, bytes: 0)
        },
        StoreCheck("retention: of several limits each one counts") { harness in
            let policy = RetentionPolicy(maximumAge: .seconds(60), maximumCount: 5, maximumBytes: 12)
            let stream = try await harness.makeStream(retention: policy)
            try await harness.append(6, to: stream)
            try await removes(harness, stream, 0, 1)
            _ = try await harness.store.enqueue([harness.event("9 bytes!!")], to: stream)
            try await removes(harness, stream, 1, 3)
            harness.clock.advance(by: .seconds(61))
            try await harness.append(1, to: stream)
            try await removes(harness, stream, 3, 7)
        },
        StoreCheck("retention: of an existing stream is changed, and only that") { harness in
            let stream = try await harness.makeStream(retention: .maxCount(2))
            try await harness.append(5, to: stream)
            _ = try await harness.makeStream(retention: .maxCount(3))
            try requireEqual(try await harness.store.metadata(of: stream).count, 5, "count after the change")
            try await removes(harness, stream, 0, 2)
            _ = try await harness.makeStream()
            try await harness.append(5, to: stream)
            try await removes(harness, stream, 2, 2)
            try requireEqual(try await harness.store.metadata(of: stream).retention, .forever, "retention")
        },
        StoreCheck("retention: every limit comes back as it was given") { harness in
            let policies: [RetentionPolicy] = [
                .maxAge(.nanoseconds(1)), .maxAge(.days(36_500)), .maxCount(.max), .maxBytes(.max), .maxCount(1),
                RetentionPolicy(maximumAge: .seconds(1), maximumCount: 7, maximumBytes: 1),
            ]
            for policy in policies {
                let stream = try await harness.makeStream(retention: policy)
                try requireEqual(try await harness.store.metadata(of: stream).retention, policy, "retention")
            }
            let stream = try await harness.makeStream(retention: .maxAge(.seconds(Int64.max)))
            try await harness.append(1, to: stream)
            harness.clock.advance(by: .days(36_500))
            try await removes(harness, stream, 0, 0)
        },
        StoreCheck("retention: bad limits are refused and change nothing") { harness in
            let stream = try await harness.makeStream(retention: .maxCount(3))
            let bad: [RetentionPolicy] = [
                .maxAge(.zero), .maxAge(.seconds(-1)), .maxCount(0), .maxCount(.min), .maxBytes(0), .maxBytes(-1),
            ]
            for policy in bad {
                try await requireError(.invalidArgument, from: "\(policy)") {
                    _ = try await harness.makeStream(retention: policy)
                }
                try await requireError(.invalidArgument, from: "\(policy) of a new stream") {
                    _ = try await harness.makeStream("new", retention: policy)
                }
            }
            let worst = RetentionPolicy(maximumAge: .zero, maximumCount: 0, maximumBytes: 0)
            let error = try await requireError(.invalidArgument, from: "three bad limits") {
                _ = try await harness.makeStream(retention: worst)
            }
            try requireEqual(error.problems.count, 3, "problems")
            try requireEqual(try await harness.store.metadata(of: stream).retention, .maxCount(3), "retention")
            try await requireError(.unknownStream, from: "a stream that was refused") {
                _ = try await harness.store.metadata(of: try StreamName("new"))
            }
        },
        StoreCheck("retention: an ephemeral stream has none") { harness in
            try await requireError(.invalidArgument, from: "a retention of a queue") {
                _ = try await harness.makeStream("queue", .ephemeral, retention: .maxCount(3))
            }
            let stream = try await harness.makeStream("queue", .ephemeral)
            let subscription = try await harness.makeSubscription(of: stream)
            try await harness.append(3, to: stream)
            harness.clock.advance(by: .days(1000))
            try await removes(harness, stream, 0, 0)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.lease(0..<3, as: consumer)
        },
        StoreCheck("retention: of an unknown stream") { harness in
            try await requireError(.unknownStream, from: "applying a retention") {
                _ = try await harness.store.applyRetention(to: try StreamName("nowhere"))
            }
        },
        StoreCheck("retention: it is told who missed events") { harness in
            let stream = try await harness.makeStream(retention: .maxCount(4))
            let shared = try await harness.makeSubscription("shared", of: stream)
            let broadcast = try await harness.makeSubscription("broadcast", of: stream, .broadcast)
            let done = try await harness.makeSubscription("done", of: stream)
            _ = try await harness.makeSubscription("unused", of: stream, .broadcast)
            let consumer = try await harness.register("c1", of: shared)
            let ahead = try await harness.register("ahead", of: broadcast)
            _ = try await harness.register("behind", of: broadcast)
            let finished = try await harness.register("c1", of: done)
            try await harness.append(10, to: stream)
            try await harness.store.acknowledge(try await harness.lease(0..<10, as: finished))
            try await harness.store.acknowledge(try await harness.lease(0..<5, as: ahead))
            let lease = try await harness.lease(0..<8, as: consumer)
            try await harness.store.acknowledge(offsets(2, 5), of: lease)
            let result = try await harness.store.applyRetention(to: stream)
            try requireEqual(result.removed, offsets(0, 6), "removed")
            let missed = [
                MissedEvents(subscription: broadcast.id, count: 6), MissedEvents(subscription: shared.id, count: 3),
            ]
            try requireEqual(result.missed, missed, "missed")
            let again = try await harness.store.applyRetention(to: stream)
            try requireEqual(again, RetentionResult(removed: offsets(6, 6)), "the second time")
        },
        StoreCheck("retention: consumers go on after what was removed") { harness in
            let stream = try await harness.makeStream(retention: .maxCount(2))
            let subscription = try await harness.makeSubscription(of: stream)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.append(6, to: stream)
            _ = try await harness.store.applyRetention(to: stream)
            try await harness.requirePosition(4, of: subscription)
            try await harness.store.acknowledge(try await harness.lease(4..<6, as: consumer))
            try await harness.append(1, to: stream)
            try await harness.lease(6..<7, as: consumer)
        },
        StoreCheck("retention: an id whose event was removed can be used again") { harness in
            let stream = try await harness.makeStream(retention: .maxCount(1))
            let events = try await harness.append(3, to: stream)
            _ = try await harness.store.applyRetention(to: stream)
            let known = try await harness.store.enqueue([events[2]], to: stream)
            try require(known.isDuplicate, "an event that is kept is known")
            let result = try await harness.store.enqueue([events[0]], to: stream)
            try requireEqual(result, AppendResult(offsets: offsets(3, 4)), "result")
        },
        StoreCheck("retention: while others append and read") { harness in
            let stream = try await harness.makeStream(retention: .maxCount(10))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<20 {
                            try await harness.append(5, to: stream)
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<40 {
                        let result = try await harness.store.applyRetention(to: stream)
                        let metadata = try await harness.store.metadata(of: stream)
                        try require(metadata.first >= result.removed.upperBound, "what was removed stays removed")
                        try require(metadata.count >= min(10, Int(metadata.length)), "no more was removed than asked")
                    }
                }
                try await group.waitForAll()
            }
            _ = try await harness.store.applyRetention(to: stream)
            let metadata = try await harness.store.metadata(of: stream)
            try requireEqual(metadata.first.rawValue..<metadata.head.rawValue, 390..<400, "events kept")
        },
    ]

    private static func removes(
        _ harness: StoreHarness,
        _ stream: StreamName,
        _ lower: Int64,
        _ upper: Int64,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let result = try await harness.store.applyRetention(to: stream)
        try requireEqual(result.removed, offsets(lower, upper), "removed", file: file, line: line)
        let metadata = try await harness.store.metadata(of: stream)
        try requireEqual(metadata.first.rawValue, upper, "first offset kept", file: file, line: line)
    }

    private static func keeps(
        _ harness: StoreHarness,
        _ stream: StreamName,
        _ events: [NewEvent],
        from first: Int64,
        bytes: Int? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let metadata = try await harness.store.metadata(of: stream)
        try requireEqual(metadata.first.rawValue, first, "first", file: file, line: line)
        try requireEqual(metadata.count, events.count, "count", file: file, line: line)
        try requireEqual(
            try await harness.readAll(stream).map(\.id), events.map(\.id), "events", file: file, line: line)
        if let bytes {
            try requireEqual(metadata.bytes, bytes, "bytes", file: file, line: line)
        }
    }
}
