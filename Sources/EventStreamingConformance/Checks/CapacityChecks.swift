import EventStreamingCore
import EventStreamingTesting

enum CapacityChecks {
    static let all: [StoreCheck] = [
        StoreCheck("capacity: a full stream refuses, and changes nothing") { harness in
            let stream = try await harness.makeStream(capacity: 3)
            let events = try await harness.append(2, to: stream)
            let error = try await requireError(.streamFull, from: "append of two to a stream with room for one") {
                try await harness.append(2, to: stream)
            }
            try require(error.isRetriable, "streamFull is retriable")
            try await harness.requireContent(stream, events)
            try await harness.append(1, to: stream)
            try await requireError(.streamFull, from: "append to a full stream") {
                try await harness.append(1, to: stream)
            }
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 0, "dropped")
        },
        StoreCheck("capacity: finished events make room in an ephemeral stream") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral, capacity: 2)
            let subscription = try await harness.makeSubscription(of: stream)
            let consumer = try await harness.register("c1", of: subscription)
            for offset in stride(from: Int64(0), to: 10, by: 2) {
                try await harness.append(2, to: stream)
                try await requireError(.streamFull, from: "append to a full queue") {
                    try await harness.append(1, to: stream)
                }
                let lease = try await harness.lease(offset..<offset + 2, as: consumer)
                try await requireError(.streamFull, from: "append while all events are leased") {
                    try await harness.append(1, to: stream)
                }
                try await harness.store.acknowledge(lease)
            }
        },
        StoreCheck("capacity: a trim makes room") { harness in
            let stream = try await harness.makeStream(capacity: 2)
            try await harness.append(2, to: stream)
            _ = try await harness.store.trim(stream, before: StreamOffset(1))
            let result = try await harness.store.enqueue(harness.events(1), to: stream)
            try requireEqual(result.offsets, offsets(2, 3), "offsets")
        },
        StoreCheck("capacity: the oldest events make room when told so, and are counted") { harness in
            let stream = try await harness.makeStream(capacity: 3, overflow: .dropOldest)
            let subscription = try await harness.makeSubscription(of: stream)
            let consumer = try await harness.register("c1", of: subscription)
            let events = try await harness.append(3, to: stream) + harness.append(2, to: stream)
            try await harness.requireContent(stream, Array(events[2...]), from: 2)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 2, "dropped")
            try await harness.requirePosition(2, of: subscription)
            let lease = try await harness.lease(2..<5, as: consumer)
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(5, of: subscription)
        },
        StoreCheck("capacity: a batch larger than the stream") { harness in
            let rejecting = try await harness.makeStream("rejecting", capacity: 3)
            try await requireError(.streamFull, from: "append of four to a stream for three") {
                try await harness.append(4, to: rejecting)
            }
            try await harness.requireContent(rejecting, [])
            let dropping = try await harness.makeStream("dropping", capacity: 3, overflow: .dropOldest)
            try await allowError(.streamFull, from: "append of four to a stream for three") {
                try await harness.append(4, to: dropping)
            }
            let metadata = try await harness.store.metadata(of: dropping)
            try require(metadata.count <= 3, "the stream keeps \(metadata.count) events")
        },
        StoreCheck("capacity: can be changed, and counts from then on") { harness in
            let stream = try await harness.makeStream(capacity: 2)
            try await harness.append(2, to: stream)
            _ = try await harness.makeStream(capacity: 4)
            try await harness.append(2, to: stream)
            _ = try await harness.makeStream(capacity: 1)
            try await requireError(.streamFull, from: "append over the new capacity") {
                try await harness.append(1, to: stream)
            }
            _ = try await harness.makeStream(capacity: nil)
            try await harness.append(10, to: stream)
            try requireEqual(try await harness.store.metadata(of: stream).count, 14, "count")
        },
        StoreCheck("capacity: a group fills a stream up to the limit") { harness in
            let stream = try await harness.makeStream(capacity: 3)
            let sizes = [2, 2, 1, 1]
            let results = await harness.store.append(
                sizes.map { StreamAppend(stream: stream, events: harness.events($0)) }
            )
            let succeeded = results.map { result in
                if case .success = result { true } else { false }
            }
            try requireEqual(succeeded, [true, false, true, false], "which appends succeed")
            try requireEqual(try await harness.store.metadata(of: stream).count, 3, "count")
        },
        StoreCheck("capacity: only what is stored makes the oldest go") { harness in
            let stream = try await harness.makeStream(capacity: 10, overflow: .dropOldest)
            let events = try await harness.append(8, to: stream)
            _ = try await harness.makeStream(capacity: 3, overflow: .dropOldest)
            let repeated = try await harness.store.enqueue(Array(events[1...2]), to: stream)
            try require(repeated.isDuplicate, "a repetition")
            try await requireError(.wrongExpectedVersion, from: "an append that expects another length") {
                _ = try await harness.store.append(
                    StreamAppend(stream: stream, events: harness.events(1), expectedVersion: .noStream))
            }
            try await harness.requireContent(stream, events)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 0, "dropped")
            let last = try await harness.append(1, to: stream)
            try await harness.requireContent(stream, Array(events[6...]) + last, from: 6)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 6, "dropped")
        },
        StoreCheck("capacity: within a group, too, an id that was dropped is free") { harness in
            let stream = try await harness.makeStream(capacity: 3, overflow: .dropOldest)
            let events = try await harness.append(3, to: stream)
            let more = harness.events(2)
            let appends = [[events[2]], more, [events[0]], [more[0]]]
            let results = await harness.store.append(appends.map { StreamAppend(stream: stream, events: $0) })
            let told = try results.map { try $0.get() }
            try requireEqual(told.map(\.isDuplicate), [true, false, false, true], "repetitions")
            try requireEqual(told.map(\.offsets.lowerBound.rawValue), [2, 3, 5, 3], "offsets")
            try await harness.requireContent(stream, more + [events[0]], from: 3)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 3, "dropped")
        },
        StoreCheck("capacity: what ran out before is not counted as dropped") { harness in
            let stream = try await harness.makeStream(capacity: 3, overflow: .dropOldest)
            let subscription = try await harness.makeSubscription(of: stream, .broadcast) {
                $0.consumerTimeout = .seconds(10)
            }
            let reader = try await harness.register("reader", of: subscription)
            _ = try await harness.register("visitor", of: subscription, kind: .temporary)
            try await harness.append(3, to: stream)
            try await harness.store.acknowledge(try await harness.lease(0..<3, as: reader))
            harness.clock.advance(by: .seconds(10))
            try await harness.append(2, to: stream)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 0, "dropped")
        },
        StoreCheck("capacity: an event whose last attempt ran out goes to the dead letters, and is not dropped") {
            harness in
            let stream = try await harness.makeStream(capacity: 3, overflow: .dropOldest)
            let subscription = try await harness.makeSubscription(of: stream) { $0.retry.maximumAttempts = 1 }
            let consumer = try await harness.register("c1", of: subscription)
            let events = try await harness.append(3, to: stream)
            _ = try await harness.lease(0..<3, as: consumer)
            harness.clock.advance(by: .seconds(30))
            try await harness.append(3, to: stream)
            try requireEqual(try await harness.store.metadata(of: stream).dropped, 0, "dropped")
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.event.id), events.map(\.id), "dead letters")
        },
    ]
}
