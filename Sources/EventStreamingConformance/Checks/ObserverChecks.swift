import EventStreamingCore
import EventStreamingTesting

enum ObserverChecks {
    static let all: [StoreCheck] = [
        StoreCheck("observers: are told after appends, and after events were given back") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.initialDelay = .zero }
            let recorder = ChangeRecorder()
            harness.store.addObserver(recorder)
            try await expectHint(recorder, stream, "an append") {
                try await harness.append(2, to: stream)
            }
            var lease = try await harness.lease(0..<2, as: consumer)
            try await expectHint(recorder, stream, "a nack") {
                try await harness.store.nack(lease.offsets, of: lease, reason: "no")
            }
            lease = try await harness.lease(0..<2, as: consumer, attempt: 2)
            try await expectHint(recorder, stream, "a release") {
                try await harness.store.release(lease)
            }
            _ = try await harness.lease(0..<2, as: consumer, attempt: 2)
            try await expectHint(recorder, stream, "the consumer left") {
                try await harness.store.unregisterConsumer(consumer)
            }
            let next = try await harness.register("c1", of: subscription)
            try await harness.giveUpNext(as: next)
            try await expectHint(recorder, stream, "a redrive") {
                _ = try await harness.store.redrive(offsets(0, 1), of: subscription.id)
            }
        },
        StoreCheck("observers: are told of events given back for later: who waits learns until when") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.initialDelay = .seconds(5) }
            let recorder = ChangeRecorder()
            harness.store.addObserver(recorder)
            try await harness.append(1, to: stream)
            let other = try await harness.register("c2", of: subscription)
            let lease = try await harness.lease(0..<1, as: consumer)
            try await harness.requireNothing(for: other)
            try await expectHint(recorder, stream, "a nack with a delay") {
                try await harness.store.nack(lease.offsets, of: lease, reason: "no")
            }
            let until = try await harness.requireNothing(for: other)
            try require(until != nil, "an empty queue with an event that comes again did not say when")
        },
        StoreCheck("observers: are told when the store ends leases that expired") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            _ = try await harness.lease(0..<1, as: consumer)
            let recorder = ChangeRecorder()
            harness.store.addObserver(recorder)
            try await expectHint(recorder, stream, "the end of a lease") {
                harness.clock.advance(by: .seconds(31))
                _ = try await harness.store.expireConsumers()
            }
        },
        StoreCheck("observers: all of them are told") { harness in
            let stream = try await harness.makeStream()
            let recorders = (0..<5).map { _ in ChangeRecorder() }
            for recorder in recorders {
                harness.store.addObserver(recorder)
            }
            try await harness.append(1, to: stream)
            for recorder in recorders {
                try require(await recorder.waitForChange(of: stream), "an observer was not told")
            }
        },
        StoreCheck("observers: a group append tells about each of its streams") { harness in
            let first = try await harness.makeStream("first")
            let second = try await harness.makeStream("second")
            let recorder = ChangeRecorder()
            harness.store.addObserver(recorder)
            _ = await harness.store.append([
                StreamAppend(stream: first, events: harness.events(1)),
                StreamAppend(stream: second, events: harness.events(1)),
            ])
            for stream in [first, second] {
                try require(await recorder.waitForChange(of: stream), "no hint about \(stream)")
            }
        },
        StoreCheck("observers: are held weakly") { harness in
            let stream = try await harness.makeStream()
            weak let observer = addShortLivedObserver(to: harness)
            try await harness.append(1, to: stream)
            try await harness.append(1, to: stream)
            try require(observer == nil, "the store keeps the observer alive")
        },
        StoreCheck("observers: nothing is needed from them") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let events = try await harness.append(5, to: stream)
            try await harness.requireContent(stream, events)
            let lease = try await harness.lease(0..<5, as: consumer)
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(5, of: subscription)
        },
    ]

    private static func expectHint(
        _ recorder: ChangeRecorder,
        _ stream: StreamName,
        _ what: String,
        file: String = #fileID,
        line: Int = #line,
        _ body: () async throws -> Void
    ) async throws {
        recorder.reset()
        try await body()
        try require(await recorder.waitForChange(of: stream), "no hint after \(what)", file: file, line: line)
    }

    private static func addShortLivedObserver(to harness: StoreHarness) -> ChangeRecorder? {
        let recorder = ChangeRecorder()
        harness.store.addObserver(recorder)
        return recorder
    }
}
