import EventStreamingCore
import EventStreamingTesting

enum PositionChecks {
    static let all: [StoreCheck] = [
        StoreCheck("position: beginning, latest and offset") { harness in
            let stream = try await harness.makeStream()
            try await resolve(harness, stream, .beginning, 0)
            try await resolve(harness, stream, .latest, 0)
            try await harness.append(5, to: stream)
            try await resolve(harness, stream, .beginning, 0)
            try await resolve(harness, stream, .latest, 5)
            try await resolve(harness, stream, .offset(StreamOffset(3)), 3)
            _ = try await harness.store.trim(stream, before: StreamOffset(2))
            try await resolve(harness, stream, .beginning, 2)
            try await resolve(harness, stream, .offset(.zero), 2)
            try await resolve(harness, stream, .offset(StreamOffset(3)), 3)
        },
        StoreCheck("position: the first event at a time or later") { harness in
            let stream = try await harness.makeStream()
            let start = harness.clock.now
            for _ in 0..<3 {
                try await harness.append(2, to: stream)
                harness.clock.advance(by: .seconds(10))
            }
            try await resolve(harness, stream, .timestamp(Timestamp(nanosecondsSinceEpoch: .min)), 0)
            try await resolve(harness, stream, .timestamp(start), 0)
            try await resolve(harness, stream, .timestamp(start + .nanoseconds(1)), 2)
            try await resolve(harness, stream, .timestamp(start + .seconds(10)), 2)
            try await resolve(harness, stream, .timestamp(start + .seconds(11)), 4)
            try await resolve(harness, stream, .timestamp(start + .seconds(21)), 6)
            try await resolve(harness, stream, .timestamp(Timestamp(nanosecondsSinceEpoch: .max)), 6)
            _ = try await harness.store.trim(stream, before: StreamOffset(3))
            try await resolve(harness, stream, .timestamp(start), 3)
        },
        StoreCheck("position: at an event") { harness in
            let stream = try await harness.makeStream()
            let events = try await harness.append(5, to: stream)
            for (index, event) in events.enumerated() {
                try await resolve(harness, stream, .event(event.id), Int64(index))
            }
            try await requireError(.unknownEvent, from: "an event that is not there") {
                _ = try await harness.store.offset(of: .event(harness.ids.next()), in: stream)
            }
            let other = try await harness.makeStream("other")
            try await requireError(.unknownEvent, from: "an event of another stream") {
                _ = try await harness.store.offset(of: .event(events[0].id), in: other)
            }
            _ = try await harness.store.trim(stream, before: StreamOffset(2))
            try await requireError(.unknownEvent, from: "an event that was trimmed") {
                _ = try await harness.store.offset(of: .event(events[1].id), in: stream)
            }
            try await resolve(harness, stream, .event(events[2].id), 2)
        },
        StoreCheck("position: consumers begin at an event, where it is kept") { harness in
            let stream = try await harness.makeStream()
            let events = try await harness.append(5, to: stream)
            let exclusive = try await harness.makeSubscription(of: stream) { $0.start = .event(events[2].id) }
            try await harness.lease(2..<5, as: try await harness.register("c1", of: exclusive))
            let broadcast = try await harness.makeSubscription("broadcast", of: stream, .broadcast) {
                $0.start = .event(events[3].id)
            }
            let consumer = try await harness.register("c1", of: broadcast)
            try await harness.lease(3..<5, as: consumer)
            let other = try await harness.register("c2", of: broadcast, start: .event(events[1].id))
            try await harness.requirePosition(1, of: broadcast, consumer: other.consumer.rawValue)
            _ = try await harness.store.trim(stream, before: StreamOffset(4))
            try await requireError(.unknownEvent, from: "a consumer that begins at a trimmed event") {
                _ = try await harness.register("c3", of: broadcast)
            }
            try await requireError(.unknownEvent, from: "creating a consumer that begins at a trimmed event") {
                try await harness.store.createConsumer(try ConsumerID("c4"), of: broadcast.id, start: nil)
            }
            try requireEqual(try await harness.store.consumers(of: broadcast.id).count, 2, "consumers")
            // Those that have their position need no start any more.
            try await harness.lease(4..<5, as: try await harness.register("c1", of: broadcast), attempt: 2)
            try await harness.store.createConsumer(other.consumer, of: broadcast.id, start: nil)
            try await harness.store.createSubscription(exclusive)
            try await requireError(.unknownEvent, from: "a queue that begins at a trimmed event") {
                _ = try await harness.makeSubscription("late", of: stream) { $0.start = .event(events[0].id) }
            }
            try await requireError(.unknownStream, from: "the dead letters of what was refused") {
                _ = try await harness.store.metadata(of: try StreamName("late-dead-letters"))
            }
        },
        StoreCheck("position: where new consumers of a broadcast begin") { harness in
            let stream = try await harness.makeStream()
            let start = harness.clock.now
            try await harness.append(2, to: stream)
            harness.clock.advance(by: .seconds(10))
            try await harness.append(2, to: stream)
            let subscription = try await harness.makeSubscription(of: stream, .broadcast) { $0.start = .latest }
            let cases: [(String, StartPosition?, Int64)] = [
                ("default", nil, 4), ("beginning", .beginning, 0), ("latest", .latest, 4),
                ("offset", .offset(StreamOffset(1)), 1), ("time", .timestamp(start + .seconds(1)), 2),
            ]
            for (name, position, expected) in cases {
                let consumer = try await harness.register(name, of: subscription, start: position)
                try await harness.requirePosition(expected, of: subscription, consumer: name)
                if expected == 4 {
                    try await harness.requireNothing(for: consumer)
                } else {
                    try await harness.lease(expected..<4, as: consumer)
                }
            }
        },
        StoreCheck("position: latest is fixed when registering returns") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(2, to: stream)
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let consumer = try await harness.register("c1", of: subscription, start: .latest)
            try await harness.append(2, to: stream)
            try await harness.lease(2..<4, as: consumer)
        },
        StoreCheck("position: competing consumers begin at the subscription's start") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(3, to: stream)
            let subscription = try await harness.makeSubscription(of: stream) { $0.start = .latest }
            try await harness.append(2, to: stream)
            let consumer = try await harness.register("c1", of: subscription)
            try await harness.lease(3..<5, as: consumer)
            let other = try await harness.makeSubscription("other", of: stream) { $0.start = .offset(StreamOffset(1)) }
            let another = try await harness.register("c1", of: other)
            try await harness.lease(1..<5, as: another)
        },
    ]

    private static func resolve(
        _ harness: StoreHarness,
        _ stream: StreamName,
        _ position: StartPosition,
        _ expected: Int64,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let offset = try await harness.store.offset(of: position, in: stream)
        try requireEqual(offset.rawValue, expected, "\(position)", file: file, line: line)
    }
}
