import EventStreamingCore
import EventStreamingTesting

enum ReadChecks {
    static let all: [StoreCheck] = [
        StoreCheck("read: pages in both directions") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(10, to: stream)
            try await read(harness, stream, 0, .forward, 4, [0, 1, 2, 3])
            try await read(harness, stream, 8, .forward, 4, [8, 9])
            try await read(harness, stream, 10, .forward, 4, [])
            try await read(harness, stream, 9, .backward, 4, [9, 8, 7, 6])
            try await read(harness, stream, 1, .backward, 4, [1, 0])
            try await read(harness, stream, 0, .backward, 4, [0])
            try await read(harness, stream, 3, .forward, 1, [3])
            try await read(harness, stream, 3, .backward, 1, [3])
        },
        StoreCheck("read: beyond the end") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(3, to: stream)
            try await read(harness, stream, 4, .forward, 10, [])
            try await read(harness, stream, .max, .forward, 10, [])
            try await read(harness, stream, 3, .backward, 2, [2, 1])
            try await read(harness, stream, .max, .backward, 2, [2, 1])
        },
        StoreCheck("read: an empty stream") { harness in
            let stream = try await harness.makeStream()
            for offset in [0, 1, Int64.max] {
                try await read(harness, stream, offset, .forward, 1, [])
                try await read(harness, stream, offset, .backward, 1, [])
            }
        },
        StoreCheck("read: pages of every size of a long stream") { harness in
            let stream = try await harness.makeStream()
            let count: Int64 = 5000
            for size in [1000, 1, 2999, 700, 300] {
                try await harness.append(size, to: stream)
            }
            for trimmed in [Int64(0), 1, 1023, 1999] {
                _ = try await harness.store.trim(stream, before: StreamOffset(trimmed))
                for limit in [1, 255, 256, 1023, 1024, 4096, Int.max] {
                    for offset in [trimmed, trimmed + 1, 2047, 2048, 4095, count - 1] {
                        let end = limit < Int(count - offset) ? offset + Int64(limit) : count
                        try await read(harness, stream, offset, .forward, limit, Array(offset..<end))
                        let start = limit <= Int(offset - trimmed) ? offset - Int64(limit) + 1 : trimmed
                        try await read(harness, stream, offset, .backward, limit, (start...offset).reversed())
                    }
                }
            }
        },
        StoreCheck("read: the largest limit") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(3, to: stream)
            try await read(harness, stream, 0, .forward, .max, [0, 1, 2])
            try await read(harness, stream, 1, .forward, .max, [1, 2])
            try await read(harness, stream, 2, .backward, .max, [2, 1, 0])
        },
        StoreCheck("read: limits below 1 are invalid") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(1, to: stream)
            for limit in [0, -1, Int.min] {
                for direction in [ReadDirection.forward, .backward] {
                    try await requireError(.invalidArgument, from: "read with limit \(limit)") {
                        _ = try await harness.store.read(stream, from: .zero, direction: direction, limit: limit)
                    }
                }
            }
        },
        StoreCheck("read: an unknown stream") { harness in
            let stream = try StreamName("nowhere")
            try await requireError(.unknownStream, from: "read") {
                _ = try await harness.store.read(stream, from: .zero, direction: .forward, limit: 1)
            }
            try await requireError(.unknownStream, from: "metadata") {
                _ = try await harness.store.metadata(of: stream)
            }
            try await requireError(.unknownStream, from: "offset") {
                _ = try await harness.store.offset(of: .beginning, in: stream)
            }
            try await requireError(.unknownStream, from: "trim") {
                _ = try await harness.store.trim(stream, before: .zero)
            }
        },
        StoreCheck("read: a trimmed event is told forward, and ends the way back") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(6, to: stream)
            let removed = try await harness.store.trim(stream, before: StreamOffset(3))
            try requireEqual(removed, 3, "events removed")
            for offset in [Int64(0), 2] {
                try await requireError(.offsetTrimmed, from: "forward from \(offset)") {
                    _ = try await harness.store.read(
                        stream,
                        from: StreamOffset(offset),
                        direction: .forward,
                        limit: 1
                    )
                }
                try await read(harness, stream, offset, .backward, 5, [])
            }
            try await read(harness, stream, 3, .forward, 10, [3, 4, 5])
            try await read(harness, stream, 5, .backward, 10, [5, 4, 3])
        },
        StoreCheck("read: an append that returned is in the next page") { harness in
            let stream = try await harness.makeStream()
            for length in 1...50 {
                try await harness.append(1, to: stream)
                let page = try await harness.store.read(stream, from: .zero, direction: .forward, limit: 100)
                try requireEqual(page.count, length, "length of the page")
            }
        },
        StoreCheck("metadata: first, head, bytes and the oldest event's time") { harness in
            let stream = try await harness.makeStream("log", .persistent)
            let empty = try await harness.store.metadata(of: stream)
            let nothing = StreamMetadata(
                name: stream,
                type: .persistent,
                first: .zero,
                head: .zero,
                dropped: 0,
                bytes: 0,
                oldest: nil
            )
            try requireEqual(empty, nothing, "metadata of an empty stream")
            let start = harness.clock.now
            for text in ["1", "22", "333"] {
                _ = try await harness.store.enqueue([harness.event(text)], to: stream)
                harness.clock.advance(by: .seconds(1))
            }
            let full = try await harness.store.metadata(of: stream)
            try requireEqual(full.head, StreamOffset(3), "head")
            try requireEqual(full.bytes, 6, "bytes")
            try requireEqual(full.oldest, start, "oldest")
            _ = try await harness.store.trim(stream, before: StreamOffset(2))
            let trimmed = try await harness.store.metadata(of: stream)
            try requireEqual(trimmed.first, StreamOffset(2), "first after a trim")
            try requireEqual(trimmed.head, StreamOffset(3), "head after a trim")
            try requireEqual(trimmed.bytes, 3, "bytes after a trim")
            try requireEqual(trimmed.oldest, start + .seconds(2), "oldest after a trim")
            try requireEqual(trimmed.dropped, 0, "a trim is no drop")
        },
        StoreCheck("read: pages of large events may end early, and have them all") { harness in
            let stream = try await harness.makeStream()
            var events: [NewEvent] = []
            for _ in 0..<4 {
                events += [harness.event("small"), harness.event(String(repeating: "x", count: 3 << 20))]
            }
            for start in stride(from: 0, to: events.count, by: 2) {
                _ = try await harness.store.enqueue(Array(events[start..<start + 2]), to: stream)
            }
            try await harness.requireContent(stream, events)
            var back: [StoredEvent] = []
            while back.last?.offset != .zero {
                let from = back.last.map { $0.offset.advanced(by: -1) } ?? StreamOffset(100)
                let page = try await harness.store.read(stream, from: from, direction: .backward, limit: 100)
                try require(!page.isEmpty, "a page is empty before the beginning of the stream")
                back += page
            }
            try requireEqual(back.map(\.id), events.reversed().map(\.id), "ids read backward")
        },
    ]

    private static func read(
        _ harness: StoreHarness,
        _ stream: StreamName,
        _ offset: Int64,
        _ direction: ReadDirection,
        _ limit: Int,
        _ expected: [Int64],
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let page = try await harness.store.read(
            stream,
            from: StreamOffset(offset),
            direction: direction,
            limit: limit
        )
        let what = "page \(direction) from \(offset)"
        try requireEqual(page.map(\.offset.rawValue), expected, what, file: file, line: line)
    }
}
