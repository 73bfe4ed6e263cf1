import EventStreamingCore

enum ExpectedVersionChecks {
    static let all: [StoreCheck] = [
        StoreCheck("expected version: which expectation holds for an empty stream") { harness in
            try await check(
                harness, length: 0,
                [
                    (.any, true), (.noStream, true), (.exists, false), (.exactly(.zero), true),
                    (.exactly(StreamOffset(1)), false), (.exactly(StreamOffset(.max)), false),
                ])
        },
        StoreCheck("expected version: which expectation holds for a stream with events") { harness in
            try await check(
                harness, length: 2,
                [
                    (.any, true), (.noStream, false), (.exists, true), (.exactly(.zero), false),
                    (.exactly(StreamOffset(1)), false), (.exactly(StreamOffset(2)), true),
                    (.exactly(StreamOffset(3)), false), (.exactly(StreamOffset(.max)), false),
                ])
        },
        StoreCheck("expected version: trimmed events count") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(3, to: stream)
            _ = try await harness.store.trim(stream, before: StreamOffset(3))
            try await requireError(.wrongExpectedVersion, from: "noStream after a trim") {
                _ = try await harness.store.append(
                    StreamAppend(stream: stream, events: harness.events(1), expectedVersion: .noStream)
                )
            }
            for version in [ExpectedVersion.exists, .exactly(StreamOffset(4))] {
                _ = try await harness.store.append(
                    StreamAppend(stream: stream, events: harness.events(1), expectedVersion: version)
                )
            }
            try requireEqual(try await harness.store.metadata(of: stream).head, StreamOffset(5), "head")
        },
        StoreCheck("expected version: of 32 writers that expect the same length one wins") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(5, to: stream)
            for round in 0..<10 {
                let length = StreamOffset(Int64(5 + round))
                let errors = try await withThrowingTaskGroup(of: EventStreamingError?.self) { group in
                    for _ in 0..<32 {
                        group.addTask {
                            do throws(EventStreamingError) {
                                _ = try await harness.store.append(
                                    StreamAppend(
                                        stream: stream,
                                        events: harness.events(1),
                                        expectedVersion: .exactly(length)
                                    )
                                )
                                return nil
                            } catch {
                                return error
                            }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                try requireEqual(errors.count { $0 == nil }, 1, "number of winners")
                for error in errors.compactMap({ $0 }) {
                    try requireEqual(error.code, .wrongExpectedVersion, "code")
                    try requireEqual(error.actualLength, length.rawValue + 1, "actual length")
                }
            }
            try requireEqual(try await harness.store.metadata(of: stream).head, StreamOffset(15), "head")
        },
    ]

    private static func check(
        _ harness: StoreHarness,
        length: Int,
        _ expectations: [(ExpectedVersion, Bool)]
    ) async throws {
        for (index, (version, holds)) in expectations.enumerated() {
            let stream = try await harness.makeStream("stream-\(index)")
            if length > 0 {
                try await harness.append(length, to: stream)
            }
            let append = StreamAppend(stream: stream, events: harness.events(2), expectedVersion: version)
            if holds {
                let result = try await harness.store.append(append)
                try requireEqual(result.offsets, offsets(Int64(length), Int64(length + 2)), "offsets with \(version)")
            } else {
                let error = try await requireError(.wrongExpectedVersion, from: "append with \(version)") {
                    _ = try await harness.store.append(append)
                }
                try requireEqual(error.actualLength, Int64(length), "actual length with \(version)")
                try requireEqual(try await harness.readAll(stream).count, length, "events after a refused append")
            }
        }
    }
}
