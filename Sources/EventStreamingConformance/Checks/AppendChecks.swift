import EventStreamingCore
import EventStreamingTesting

enum AppendChecks {
    static let all: [StoreCheck] = [
        StoreCheck("append: offsets are dense and start at 0") { harness in
            let stream = try await harness.makeStream()
            var all: [NewEvent] = []
            for count in [1, 3, 2] {
                let events = harness.events(count)
                let result = try await harness.store.append(StreamAppend(stream: stream, events: events))
                let expected = offsets(Int64(all.count), Int64(all.count + count))
                try requireEqual(result, AppendResult(offsets: expected), "result")
                all += events
            }
            try await harness.requireContent(stream, all)
        },
        StoreCheck("append: streams are independent") { harness in
            let first = try await harness.makeStream("first")
            let second = try await harness.makeStream("second")
            let event = harness.event()
            let one = try await harness.store.enqueue([event], to: first)
            let two = try await harness.store.enqueue([event], to: second)
            try requireEqual(one.offsets, offsets(0, 1), "offsets in the first stream")
            try requireEqual(two, AppendResult(offsets: offsets(0, 1)), "the same id in another stream")
        },
        StoreCheck("append: an unknown stream") { harness in
            try await requireError(.unknownStream, from: "append") {
                _ = try await harness.store.enqueue([harness.event()], to: StreamName("nowhere"))
            }
        },
        StoreCheck("append: no events are an invalid argument") { harness in
            let stream = try await harness.makeStream()
            try await requireError(.invalidArgument, from: "append of no events") {
                _ = try await harness.store.enqueue([], to: stream)
            }
        },
        StoreCheck("append: an id twice in one batch changes nothing") { harness in
            let stream = try await harness.makeStream()
            let event = harness.event()
            try await requireError(.invalidArgument, from: "append of one id twice") {
                _ = try await harness.store.enqueue([event, harness.event(), event], to: stream)
            }
            try await harness.requireContent(stream, [])
        },
        StoreCheck("append: a group has a result for each append, in order") { harness in
            let stream = try await harness.makeStream()
            let other = try await harness.makeStream("other")
            let (first, last, elsewhere) = (harness.events(2), harness.events(1), harness.events(3))
            let results = await harness.store.append([
                StreamAppend(stream: stream, events: first),
                StreamAppend(stream: stream, events: harness.events(1), expectedVersion: .noStream),
                StreamAppend(stream: try StreamName("nowhere"), events: harness.events(1)),
                StreamAppend(stream: other, events: elsewhere),
                StreamAppend(stream: stream, events: []),
                StreamAppend(stream: stream, events: last, expectedVersion: .exactly(StreamOffset(2))),
            ])
            try requireEqual(results.count, 6, "number of results")
            try requireSuccess(results[0], AppendResult(offsets: offsets(0, 2)))
            try requireFailure(results[1], .wrongExpectedVersion)
            try requireFailure(results[2], .unknownStream)
            try requireSuccess(results[3], AppendResult(offsets: offsets(0, 3)))
            try requireFailure(results[4], .invalidArgument)
            try requireSuccess(results[5], AppendResult(offsets: offsets(2, 3)))
            try await harness.requireContent(stream, first + last)
            try await harness.requireContent(other, elsewhere)
        },
        StoreCheck("append: a repetition within a group") { harness in
            let stream = try await harness.makeStream()
            let append = StreamAppend(stream: stream, events: harness.events(2))
            let results = await harness.store.append([append, append])
            try requireSuccess(results[0], AppendResult(offsets: offsets(0, 2)))
            try requireSuccess(results[1], AppendResult(offsets: offsets(0, 2), isDuplicate: true))
            try await harness.requireContent(stream, append.events)
        },
        StoreCheck("append: an empty group") { harness in
            let results = await harness.store.append([StreamAppend]())
            try requireEqual(results.count, 0, "number of results")
        },
        StoreCheck("append: timestamps come from the clock and never go back") { harness in
            let stream = try await harness.makeStream()
            let start = harness.clock.now
            try await harness.append(1, to: stream)
            harness.clock.advance(by: .seconds(10))
            try await harness.append(2, to: stream)
            harness.clock.setWallClock(to: start - .seconds(86_400))
            try await harness.append(1, to: stream)
            harness.clock.setWallClock(to: start + .seconds(60))
            try await harness.append(1, to: stream)
            let times = try await harness.readAll(stream).map(\.timestamp)
            try requireEqual(
                times,
                [start, start + .seconds(10), start + .seconds(10), start + .seconds(10), start + .seconds(60)],
                "timestamps"
            )
        },
        StoreCheck("append: a call of a cancelled task has its whole effect or none") { harness in
            let stream = try await harness.makeStream()
            let events = harness.events(3)
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await harness.store.enqueue(events, to: stream)
            }
            switch await task.result {
            case .success: try await harness.requireContent(stream, events)
            case .failure(let error):
                let code = (error as? EventStreamingError)?.code
                try requireEqual(code, .cancelled, "code of the error")
                try await harness.requireContent(stream, [])
            }
        },
    ]

    private static func requireSuccess(
        _ result: Result<AppendResult, EventStreamingError>,
        _ expected: AppendResult,
        file: String = #fileID,
        line: Int = #line
    ) throws {
        guard case .success(let value) = result else {
            throw ConformanceFailure(message: "expected success, got \(result)", file: file, line: line)
        }
        try requireEqual(value, expected, "result", file: file, line: line)
    }

    private static func requireFailure(
        _ result: Result<AppendResult, EventStreamingError>,
        _ code: EventStreamingError.Code,
        file: String = #fileID,
        line: Int = #line
    ) throws {
        guard case .failure(let error) = result else {
            throw ConformanceFailure(message: "expected \(code), got \(result)", file: file, line: line)
        }
        try requireEqual(error.code, code, "code", file: file, line: line)
    }
}
