import EventStreamingCore
import Testing

@Suite("PayloadMeter: what cannot be encoded")
struct PayloadMeterFailureTests {
    private struct Note: Encodable {
        var text = ""
        var number = 0.0
    }

    private struct Failing: Encodable {
        struct Cause: Error {}

        func encode(to encoder: any Encoder) throws {
            throw Cause()
        }
    }

    /// Swallows what its parts throw.
    private struct Careless<Part: Encodable>: Encodable {
        let part: Part

        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try? container.encode(part)
            try? container.encode(1)
        }
    }

    private final class Loop: Encodable {
        var next: Loop?

        private enum CodingKeys: String, CodingKey {
            case next
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(next, forKey: .next)
        }
    }

    private indirect enum Nested: Encodable {
        case leaf
        case inner(Nested)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .leaf: try container.encodeNil()
            case .inner(let nested): try container.encode([nested])
            }
        }
    }

    private func sizeError(_ value: some Encodable, limit: Int = .max) throws -> EventStreamingError {
        try #require(throws: EventStreamingError.self) { try PayloadMeter.size(of: value, limit: limit) }
    }

    private func canonicalError(_ value: some Encodable) throws -> EventStreamingError {
        try #require(throws: EventStreamingError.self) { try PayloadMeter.canonicalBytes(of: value) }
    }

    @Test("a limit is exact")
    func limit() throws {
        let note = Note(text: "hello", number: 1.5)
        let size = #"{"text":"hello","number":1.5}"#.utf8.count
        #expect(try PayloadMeter.size(of: note, limit: size) == size)
        #expect(try sizeError(note, limit: size - 1).code == .payloadTooLarge)
        #expect(try sizeError(note, limit: 0).code == .payloadTooLarge)
        #expect(try sizeError(note, limit: .min).code == .payloadTooLarge)
        #expect(try sizeError([UInt8](repeating: 1, count: 100), limit: 100).code == .payloadTooLarge)
        #expect(try sizeError([Int](), limit: 1).code == .payloadTooLarge)
    }

    @Test("the error tells size, limit, type and what to do, and nothing of the value")
    func message() throws {
        let error = try sizeError(Note(text: "secret" + String(repeating: "x", count: 1000)), limit: 100)
        #expect(error.message.contains("Note"))
        #expect(error.message.contains("at least 1017 bytes"))
        #expect(error.message.contains("at most 100"))
        #expect(error.message.contains("raise the limit"))
        #expect(!error.description.contains("secret"))
    }

    @Test("the walk ends where the limit is exceeded")
    func endsEarly() throws {
        final class Counter {
            var count = 0
        }
        struct Element: Encodable {
            let counter: Counter

            func encode(to encoder: any Encoder) throws {
                counter.count += 1
                var container = encoder.singleValueContainer()
                try container.encode("0123456789")
            }
        }
        let counter = Counter()
        let elements = (0..<1000).map { _ in Element(counter: counter) }
        #expect(try sizeError(elements, limit: 100).code == .payloadTooLarge)
        #expect(counter.count < 12)
    }

    @Test("an error that is swallowed on the way counts nevertheless")
    func swallowed() throws {
        #expect(try sizeError(Careless(part: String(repeating: "x", count: 100)), limit: 50).code == .payloadTooLarge)
        #expect(try sizeError(Careless(part: Double.nan)).code == .encodingFailed)
        #expect(try canonicalError(Careless(part: Double.nan)).code == .encodingFailed)
    }

    @Test("numbers that are not finite", arguments: [Double.nan, .infinity, -.infinity, .signalingNaN])
    func notFinite(number: Double) throws {
        for error in [
            try sizeError(Note(number: number)), try sizeError([number]), try sizeError(number),
            try sizeError(["a": Float(number)]), try canonicalError(Note(number: number)),
        ] {
            #expect(error.code == .encodingFailed)
            #expect(error.message.contains("not finite"))
        }
    }

    @Test("the value's own error is the cause")
    func ownError() throws {
        for error in [
            try sizeError(Failing()), try sizeError(["a": [Failing()]]), try canonicalError(Failing()),
            try canonicalError([[Failing()]]),
        ] {
            #expect(error.code == .encodingFailed)
            #expect(error.underlying is Failing.Cause)
        }
    }

    @Test("an error of the same type as the meter's is a cause as well")
    func foreignEventStreamingError() throws {
        struct Odd: Encodable {
            func encode(to encoder: any Encoder) throws {
                throw EventStreamingError(.payloadTooLarge, "mine")
            }
        }
        let error = try sizeError(Odd())
        #expect(error.code == .encodingFailed)
        #expect((error.underlying as? EventStreamingError)?.message == "mine")
    }

    @Test("a value that contains itself ends as an error")
    func recursion() throws {
        let loop = Loop()
        loop.next = loop
        defer { loop.next = nil }
        for error in [try sizeError(loop), try canonicalError(loop)] {
            #expect(error.code == .encodingFailed)
            #expect(error.message.contains("deeper than 512"))
        }
    }

    @Test("values may be nested as deep as the limit, and no deeper")
    func depth() throws {
        var nested = Nested.leaf
        // Each of these is two levels, the value and the list around it.
        for _ in 0..<255 {
            nested = .inner(nested)
        }
        #expect(throws: Never.self) { try PayloadMeter.size(of: nested, limit: .max) }
        #expect(throws: Never.self) { try PayloadMeter.canonicalBytes(of: nested) }
        nested = .inner(nested)
        #expect(try sizeError(nested).code == .encodingFailed)
        #expect(try canonicalError(nested).code == .encodingFailed)
    }
}
