import EventStreamingCore
import EventStreamingTesting

enum FidelityChecks {
    private struct OrderWorkflow: Workflow {}

    private struct OrderPlaced: Event, Equatable {
        typealias Process = OrderWorkflow
        let number: Int
        let text: String
    }

    /// Texts that something on the way may want to change.
    private static let texts = [
        "", " ", "\0", "a\0b", "\n\r\t", "'\";--", "%s%n", "\\u0000", "é", "e\u{301}", "😀👨‍👩‍👧", "\u{FEFF}x", "\u{202E}abc",
        String(repeating: "x", count: 10_000),
    ]

    static let all: [StoreCheck] = [
        StoreCheck("fidelity: payload bytes come back as they are") { harness in
            let stream = try await harness.makeStream()
            var payloads: [[UInt8]] = [[], [0], Array(0...255), Array(repeating: 0xFF, count: 70_000)]
            payloads += texts.map { Array($0.utf8) }
            let events = payloads.map { bytes in
                let type = EventType(name: "Raw")
                return NewEvent(id: harness.ids.next(), type: type, payload: .encoded(bytes), size: bytes.count)
            }
            _ = try await harness.store.enqueue(events, to: stream)
            let stored = try await harness.readAll(stream)
            try requireEqual(stored.map(\.bytes), payloads, "payloads")
            try requireEqual(stored.map(\.size), payloads.map(\.count), "sizes")
        },
        StoreCheck("fidelity: headers come back as they are") { harness in
            let stream = try await harness.makeStream()
            var headers = Dictionary(uniqueKeysWithValues: texts.enumerated().map { ("header-\($0)", $1) })
            for text in ["", "é", "😀", "a b", "A"] {
                headers[text] = text
            }
            let event = NewEvent(
                id: harness.ids.next(),
                type: EventType(name: "Raw"),
                payload: .encoded([1]),
                size: 1,
                context: EventContext(headers: headers)
            )
            _ = try await harness.store.enqueue([event], to: stream)
            let stored = try await harness.readAll(stream)
            try requireEqual(stored.first?.headers.count, headers.count, "number of headers")
            for (name, value) in headers {
                let bytes = stored.first?.headers[name].map { Array($0.utf8) }
                try requireEqual(bytes, Array(value.utf8), "bytes of header \(name.debugDescription)")
            }
        },
        StoreCheck("fidelity: id, type, version, size, correlation and causation come back") { harness in
            let stream = try await harness.makeStream()
            let ids = [
                MessageID(high: 0, low: 0), MessageID(high: .max, low: .max),
                MessageID(high: 0x8000_0000_0000_0000, low: 1), harness.ids.next(),
            ]
            let workflow = try WorkflowID("order-4711 ü 😀")
            let events = ids.enumerated().map { index, id in
                NewEvent(
                    id: id,
                    type: EventType(name: "Ordered", version: index + 1),
                    payload: .encoded([UInt8(index)]),
                    size: 1000 + index,
                    context: EventContext(correlationID: workflow, causationID: ids[index])
                )
            }
            _ = try await harness.store.enqueue(events, to: stream)
            let stored = try await harness.readAll(stream)
            try requireEqual(stored.map(\.id), ids, "ids")
            try requireEqual(stored.map(\.type), events.map(\.type), "types")
            try requireEqual(stored.map(\.size), events.map(\.size), "sizes")
            try requireEqual(stored.map(\.correlationID), ids.map { _ in workflow }, "correlation")
            try requireEqual(stored.map(\.causationID), ids, "causation")
        },
        StoreCheck("fidelity: an event without context has none afterwards") { harness in
            let stream = try await harness.makeStream()
            try await harness.append(1, to: stream)
            let stored = try await harness.readAll(stream)
            try requireEqual(stored.first?.correlationID, nil, "correlation")
            try requireEqual(stored.first?.causationID, nil, "causation")
            try requireEqual(stored.first?.headers, [:], "headers")
        },
        StoreCheck("fidelity: consumers get what was appended") { harness in
            let (stream, _, consumer) = try await harness.makeQueue()
            let context = EventContext(
                correlationID: try WorkflowID("w"),
                causationID: harness.ids.next(),
                headers: ["a": "b"]
            )
            let event = NewEvent(
                id: harness.ids.next(),
                type: EventType(name: "Ordered", version: 3),
                payload: .encoded(Array(0...255)),
                size: 256,
                context: context
            )
            harness.clock.advance(by: .milliseconds(1234))
            let time = harness.clock.now
            _ = try await harness.store.enqueue([event], to: stream)
            harness.clock.advance(by: .seconds(1))
            let delivered = try await harness.lease(0..<1, as: consumer).events[0]
            try requireEqual(delivered.timestamp, time, "timestamp")
            try requireEqual(delivered.id, event.id, "id")
            try requireEqual(delivered.type, event.type, "type")
            try requireEqual(delivered.bytes, Array(0...255), "payload")
            try requireEqual(delivered.size, 256, "size")
            try requireEqual(delivered.correlationID, context.correlationID, "correlation")
            try requireEqual(delivered.causationID, context.causationID, "causation")
            try requireEqual(delivered.headers, context.headers, "headers")
        },
        StoreCheck("fidelity: a store that keeps values returns them") { harness in
            guard harness.store.payloadForm == .value else { return }
            let stream = try await harness.makeStream()
            let value = OrderPlaced(number: 4711, text: "two shirts")
            let event = NewEvent(
                id: harness.ids.next(),
                type: EventType(OrderPlaced.self),
                payload: .value(value),
                size: 38
            )
            _ = try await harness.store.enqueue([event], to: stream)
            guard case .value(let stored)? = try await harness.readAll(stream).first?.payload else {
                throw ConformanceFailure(message: "expected a value", file: #fileID, line: #line)
            }
            try requireEqual(stored as? OrderPlaced, value, "value")
            let again = try await harness.store.enqueue([event], to: stream)
            try require(again.isDuplicate, "the same value under the same id is a repetition")
            try await requireError(.eventIDConflict, from: "another value under the same id") {
                let other = NewEvent(
                    id: event.id,
                    type: event.type,
                    payload: .value(OrderPlaced(number: 4712, text: "two shirts")),
                    size: 38
                )
                _ = try await harness.store.enqueue([other], to: stream)
            }
        },
    ]
}
