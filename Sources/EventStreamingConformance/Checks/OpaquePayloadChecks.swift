import EventStreamingCore
import EventStreamingTesting

/// Whatever looks as if a database, a codec or a language could have an opinion about it.
enum OpaquePayloadChecks {
    /// Texts that are JSON, or nearly, and that a parser would change or refuse.
    private static let documents = [
        #"{"a":1,"a":2}"#, #"{"b":1,"a":2}"#, #"{ "a" : 1 }"#, #"{"a":1e400}"#, #"{"a":-0}"#, #"{"a":1.0}"#,
        #"{"a":123456789012345678901234567890}"#, #"{"a":0.1000000000000000055511151231257827}"#,
        #"{"a":"\u0000"}"#, "{\"a\":\"\0\"}", #"{"a":"\ud800"}"#, #"{"a":"\/"}"#, #"{"a":"é"}"#, #"{"a":"\u00e9"}"#,
        "null", "[]", "{", "\"", "NaN", "\u{FEFF}{}", "\\x00", "E'\\000'", "NULL", "$1", "?", "--", "/*", "X'00'",
    ]

    /// Bytes that are no text.
    private static let noTexts: [[UInt8]] = [
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80], [0, 0, 0], [0x7B, 0],
        [0x1F, 0x8B], [0xEF, 0xBB, 0xBF],
    ]

    static let all: [StoreCheck] = [
        StoreCheck("opaque: payloads that look like JSON are not touched") { harness in
            try await comesBack(harness, documents.map { Array($0.utf8) })
        },
        StoreCheck("opaque: payloads that are no text are not touched") { harness in
            try await comesBack(harness, noTexts)
        },
        StoreCheck("opaque: JSON that means the same is another content") { harness in
            let stream = try await harness.makeStream()
            let event = harness.event(#"{"a":1,"b":2}"#)
            _ = try await harness.store.enqueue([event], to: stream)
            for text in [#"{"b":2,"a":1}"#, #"{"a":1, "b":2}"#, #"{"a":1.0,"b":2}"#] {
                try await requireError(.eventIDConflict, from: text) {
                    _ = try await harness.store.enqueue([harness.event(text, id: event.id)], to: stream)
                }
            }
            let again = try await harness.store.enqueue([harness.event(#"{"a":1,"b":2}"#, id: event.id)], to: stream)
            try require(again.isDuplicate, "the same bytes are a repetition")
        },
        StoreCheck("opaque: payloads of a mebibyte, alone and in a batch") { harness in
            let payload = { (seed: Int) in (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) } }
            try await comesBack(harness, [payload(0)])
            let stream = try await harness.makeStream("batch")
            let payloads = (1...4).map { payload($0) }
            _ = try await harness.store.enqueue(payloads.map { event(harness, $0) }, to: stream)
            try requireEqual(try await harness.store.metadata(of: stream).bytes, 4 * 1_048_576, "bytes")
            let subscription = try await harness.makeSubscription("batches", of: stream)
            let consumer = try await harness.register("c1", of: subscription)
            var delivered: [[UInt8]?] = []
            try await harness.forEachLease(as: consumer) { lease in
                delivered += lease.events.map(\.bytes)
                try await harness.store.acknowledge(lease)
            }
            try require(delivered == payloads, "the payloads delivered are those that were appended")
        },
        StoreCheck("opaque: the longest names") { harness in
            let stream = try await harness.makeStream(String(repeating: "s", count: 200))
            let id = String(repeating: "q", count: 200 - "-dead-letters".count)
            let subscription = try await harness.makeSubscription(id, of: stream)
            let consumer = try await harness.register(String(repeating: "c", count: 200), of: subscription)
            let type = String(repeating: "t", count: 1000)
            try await harness.append(1, to: stream, type: type)
            let lease = try await harness.lease(0..<1, as: consumer)
            try requireEqual(lease.events[0].type.name, type, "type")
            try await harness.store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "no")
            let letter = try await harness.deadLetters(of: subscription).first
            try requireEqual(letter?.event.type.name, type, "type of the dead letter")
            try requireEqual(letter?.stream, stream, "stream of the dead letter")
        },
        StoreCheck("opaque: names that differ in little are different") { harness in
            var streams: [StreamName] = []
            for name in ["orders", "Orders", "orders-1", "orders_1", "orders.1", "orders1"] {
                let stream = try await harness.makeStream(name)
                try await harness.append(streams.count + 1, to: stream)
                streams.append(stream)
            }
            for (index, stream) in streams.enumerated() {
                try requireEqual(try await harness.store.metadata(of: stream).count, index + 1, "events in \(stream)")
            }
        },
        StoreCheck("opaque: event types come back as they are spelled") { harness in
            let (stream, _, consumer) = try await harness.makeQueue { $0.eventTypes = ["caf\u{E9}"] }
            // Swift takes them for equal; bytes are not asked here, only that what comes back is what went in.
            for type in ["caf\u{E9}", "Café", "café ", "cafe"] {
                try await harness.append(1, to: stream, type: type)
            }
            let stored = try await harness.readAll(stream).map { Array($0.type.name.utf8) }
            let expected = ["caf\u{E9}", "Café", "café ", "cafe"].map { Array($0.utf8) }
            try requireEqual(stored, expected, "types")
            try await harness.lease(0..<1, as: consumer, limit: 10)
        },
        StoreCheck("opaque: many and large headers") { harness in
            let stream = try await harness.makeStream()
            var headers = Dictionary(uniqueKeysWithValues: (0..<64).map { ("header-\($0)", "value \($0) – ü 😀") })
            headers["large"] = String(repeating: "ü", count: 4000)
            headers[#"{"a":"b"}"#] = #"","c":"d"#
            let event = NewEvent(
                id: harness.ids.next(),
                type: EventType(name: "Raw"),
                payload: .encoded([]),
                size: 0,
                context: EventContext(headers: headers)
            )
            _ = try await harness.store.enqueue([event], to: stream)
            try requireEqual(try await harness.readAll(stream).first?.headers, headers, "headers")
        },
        StoreCheck("opaque: times before 1970 and far from now, to the nanosecond") { harness in
            let stream = try await harness.makeStream()
            let times: [Int64] = [
                -9_000_000_000_000_000_001, -1, 0, 1, 1_767_225_600_123_456_789, 9_000_000_000_000_000_007,
            ]
            for time in times {
                harness.clock.setWallClock(to: Timestamp(nanosecondsSinceEpoch: time))
                try await harness.append(1, to: stream)
            }
            let stored = try await harness.readAll(stream).map(\.timestamp.nanosecondsSinceEpoch)
            try requireEqual(stored, times, "timestamps")
            for (index, time) in times.enumerated() {
                let position = StartPosition.timestamp(Timestamp(nanosecondsSinceEpoch: time))
                let offset = try await harness.store.offset(of: position, in: stream)
                try requireEqual(offset.rawValue, Int64(index), "offset at \(time)")
            }
        },
    ]

    private static func event(_ harness: StoreHarness, _ bytes: [UInt8]) -> NewEvent {
        let type = EventType(name: "Raw")
        return NewEvent(id: harness.ids.next(), type: type, payload: .encoded(bytes), size: bytes.count)
    }

    /// Appends payloads one by one, and compares what is read and what is delivered.
    private static func comesBack(_ harness: StoreHarness, _ payloads: [[UInt8]]) async throws {
        let (stream, _, consumer) = try await harness.makeQueue()
        for payload in payloads {
            _ = try await harness.store.enqueue([event(harness, payload)], to: stream)
        }
        let stored = try await harness.readAll(stream)
        let delivered = try await harness.lease(as: consumer, limit: payloads.count).events
        for (index, payload) in payloads.enumerated() {
            let text = String(decoding: payload.prefix(60), as: UTF8.self).debugDescription
            try require(stored[index].bytes == payload, "\(text) was read as something else")
            try require(delivered[index].bytes == payload, "\(text) was delivered as something else")
            try requireEqual(stored[index].size, payload.count, "size of \(text)")
        }
    }
}
