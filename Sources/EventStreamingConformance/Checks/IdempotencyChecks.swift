import EventStreamingCore

enum IdempotencyChecks {
    static let all: [StoreCheck] = [
        StoreCheck("idempotency: a batch appended again returns the first result") { harness in
            let stream = try await harness.makeStream()
            let events = harness.events(3)
            _ = try await harness.store.enqueue(events, to: stream)
            let again = try await harness.store.enqueue(events, to: stream)
            try requireEqual(again, AppendResult(offsets: offsets(0, 3), isDuplicate: true), "second result")
            try await harness.requireContent(stream, events)
        },
        StoreCheck("idempotency: also after other appends, and whatever version is expected") { harness in
            let stream = try await harness.makeStream()
            let before = try await harness.append(2, to: stream)
            let events = try await harness.append(2, to: stream)
            let after = try await harness.append(2, to: stream)
            let expected = AppendResult(offsets: offsets(2, 4), isDuplicate: true)
            for version in [ExpectedVersion.any, .noStream, .exists, .exactly(.zero), .exactly(StreamOffset(2))] {
                let result = try await harness.store.append(
                    StreamAppend(stream: stream, events: events, expectedVersion: version)
                )
                try requireEqual(result, expected, "repetition with \(version)")
            }
            try await harness.requireContent(stream, before + events + after)
        },
        StoreCheck("idempotency: a part of a batch, and events of two batches, are a repetition too") { harness in
            let stream = try await harness.makeStream()
            let events = try await harness.append(3, to: stream) + harness.append(2, to: stream)
            let prefix = try await harness.store.enqueue(Array(events[0..<2]), to: stream)
            try requireEqual(prefix, AppendResult(offsets: offsets(0, 2), isDuplicate: true), "prefix")
            let across = try await harness.store.enqueue(Array(events[1..<5]), to: stream)
            try requireEqual(across, AppendResult(offsets: offsets(1, 5), isDuplicate: true), "two batches")
            try await harness.requireContent(stream, events)
        },
        StoreCheck("idempotency: a batch of which only some ids are known is refused") { harness in
            let stream = try await harness.makeStream()
            let events = try await harness.append(2, to: stream)
            for batch in [[events[0], harness.event()], [harness.event(), events[0]], events + [harness.event()]] {
                try await requireError(.eventIDConflict, from: "append of known and unknown ids") {
                    _ = try await harness.store.enqueue(batch, to: stream)
                }
            }
            try await harness.requireContent(stream, events)
        },
        StoreCheck("idempotency: known ids in another order or with gaps are refused") { harness in
            let stream = try await harness.makeStream()
            let events = try await harness.append(3, to: stream)
            for batch in [[events[1], events[0]], [events[0], events[2]]] {
                try await requireError(.eventIDConflict, from: "append of ids that are not contiguous") {
                    _ = try await harness.store.enqueue(batch, to: stream)
                }
            }
            try await harness.requireContent(stream, events)
        },
        StoreCheck("idempotency: a known id with another content is refused") { harness in
            let stream = try await harness.makeStream()
            let event = harness.event("one")
            _ = try await harness.store.enqueue([event], to: stream)
            for other in [harness.event("two", id: event.id), harness.event("one", type: "Paid", id: event.id)] {
                try await requireError(.eventIDConflict, from: "append of another content") {
                    _ = try await harness.store.enqueue([other], to: stream)
                }
            }
            try await harness.requireContent(stream, [event])
            try requireEqual(try await harness.readAll(stream).first?.bytes, Array("one".utf8), "content")
        },
        StoreCheck("idempotency: a repetition is recognised when the stream is full") { harness in
            let stream = try await harness.makeStream(capacity: 2)
            let events = try await harness.append(2, to: stream)
            let again = try await harness.store.enqueue(events, to: stream)
            try requireEqual(again, AppendResult(offsets: offsets(0, 2), isDuplicate: true), "repetition")
        },
        StoreCheck("idempotency: a refused append leaves its ids free") { harness in
            let stream = try await harness.makeStream()
            let events = harness.events(2)
            try await requireError(.wrongExpectedVersion, from: "append") {
                _ = try await harness.store.append(
                    StreamAppend(stream: stream, events: events, expectedVersion: .exists)
                )
            }
            let result = try await harness.store.enqueue(events, to: stream)
            try requireEqual(result, AppendResult(offsets: offsets(0, 2)), "the next append")
        },
        StoreCheck("idempotency: of many tasks that append the same batch one appends it") { harness in
            let stream = try await harness.makeStream()
            let events = harness.events(3)
            let results = try await withThrowingTaskGroup(of: AppendResult.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await harness.store.enqueue(events, to: stream) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try requireEqual(results.count { !$0.isDuplicate }, 1, "number of first appends")
            try require(results.allSatisfy { $0.offsets == offsets(0, 3) }, "all have the same offsets")
            try await harness.requireContent(stream, events)
        },
    ]
}
