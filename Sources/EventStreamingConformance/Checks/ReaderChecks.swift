import EventStreamingCore

/// What readers see while others write.
enum ReaderChecks {
    static let all: [StoreCheck] = [
        StoreCheck("readers: nothing arrives late, and nothing is passed over") { harness in
            let stream = try await harness.makeStream()
            let (writers, rounds) = (6, 25)
            let total = writers * rounds * 3
            let seen = try await withThrowingTaskGroup(of: [MessageID]?.self) { group in
                for _ in 0..<writers {
                    group.addTask {
                        for round in 0..<rounds {
                            try await harness.append(1 + round % 5, to: stream)
                        }
                        return nil
                    }
                }
                group.addTask { try await tail(harness, stream, count: total) }
                return try await group.reduce(into: [MessageID]()) { seen, part in
                    if let part { seen = part }
                }
            }
            try requireEqual(seen, try await harness.readAll(stream).map(\.id), "events in the order they were seen")
        },
        StoreCheck("readers: see what they have written") { harness in
            let stream = try await harness.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        for count in 1...15 {
                            let events = harness.events(count)
                            let result = try await harness.store.enqueue(events, to: stream)
                            let page = try await harness.store.read(
                                stream,
                                from: result.offsets.lowerBound,
                                direction: .forward,
                                limit: count
                            )
                            try requireEqual(page.map(\.id), events.map(\.id), "what was written")
                            let head = try await harness.store.metadata(of: stream).head
                            try require(head >= result.offsets.upperBound, "the head \(head) is behind \(result)")
                            let position = StartPosition.event(events[0].id)
                            let offset = try await harness.store.offset(of: position, in: stream)
                            try requireEqual(offset, result.offsets.lowerBound, "offset of the first event")
                        }
                    }
                }
                try await group.waitForAll()
            }
        },
        StoreCheck("readers: pages back to the beginning, while others write") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(100, to: stream)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<30 {
                        try await harness.append(3, to: stream)
                    }
                }
                for limit in [1, 7, 64, 1000] {
                    group.addTask { try await readBack(harness, stream, limit: limit) }
                }
                try await group.waitForAll()
            }
            try await readBack(harness, stream, limit: 13)
        },
        StoreCheck("readers: lengths only grow, and cover what is there") { harness in
            let stream = try await harness.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<50 {
                        try await harness.append(4, to: stream)
                    }
                }
                group.addTask {
                    var length: Int64 = 0
                    while length < 200 {
                        let now = try await harness.store.streamLength(of: stream)
                        try require(now >= length, "the length went from \(length) back to \(now)")
                        try require(now.isMultiple(of: 4), "a part of an append shows in length \(now)")
                        length = now
                        let page = try await harness.store.readStream(stream, limit: 1000)
                        try require(page.count >= Int(length), "\(page.count) events of \(length)")
                        await Task.yield()
                    }
                }
                try await group.waitForAll()
            }
        },
    ]

    /// Follows a stream, page by page, until it has seen so many events.
    private static func tail(_ harness: StoreHarness, _ stream: StreamName, count: Int) async throws -> [MessageID] {
        var seen: [MessageID] = []
        while seen.count < count {
            try Task.checkCancellation()
            let offset = StreamOffset(Int64(seen.count))
            let page = try await harness.store.read(stream, from: offset, direction: .forward, limit: 11)
            for event in page {
                try requireEqual(event.offset.rawValue, Int64(seen.count), "next offset")
                seen.append(event.id)
            }
            await Task.yield()
        }
        return seen
    }

    private static func readBack(_ harness: StoreHarness, _ stream: StreamName, limit: Int) async throws {
        var next = try await harness.store.metadata(of: stream).head.advanced(by: -1)
        while true {
            let page = try await harness.store.read(stream, from: next, direction: .backward, limit: limit)
            let expected = (0..<Int64(page.count)).map { next.rawValue - $0 }
            try requireEqual(page.map(\.offset.rawValue), expected, "page back from \(next)")
            guard let last = page.last, last.offset > .zero else { break }
            try requireEqual(page.count, limit, "length of a page that is not the last")
            next = last.offset.advanced(by: -1)
        }
        try requireEqual(next.rawValue < Int64(limit), true, "the last page is at the beginning")
    }
}
