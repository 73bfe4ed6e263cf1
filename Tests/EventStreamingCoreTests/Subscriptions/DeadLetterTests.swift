import EventStreamingCore
import Testing

@Suite("DeadLetter")
struct DeadLetterTests {
    private func letter(consumer: ConsumerID?, context: EventContext) throws -> DeadLetter {
        DeadLetter(
            number: StreamOffset(3),
            event: StoredEvent(
                offset: StreamOffset(.max),
                timestamp: Timestamp(nanosecondsSinceEpoch: -5),
                id: MessageID(high: 1, low: 2),
                type: EventType(name: "Paid", version: 4),
                payload: .encoded(Array(0...255)),
                size: 256,
                context: context
            ),
            stream: try StreamName("orders"),
            subscription: try SubscriptionID("mailer"),
            consumer: consumer,
            reason: "\0 ü 😀",
            attempts: 7,
            firstFailure: Timestamp(nanosecondsSinceEpoch: .min),
            lastFailure: Timestamp(nanosecondsSinceEpoch: .max)
        )
    }

    private func stored(_ letter: DeadLetter) -> StoredEvent {
        let record = letter.record(id: MessageID(high: 9, low: 9))
        return StoredEvent(record, offset: letter.number, timestamp: Timestamp(nanosecondsSinceEpoch: 42))
    }

    @Test("comes back from its record with everything", arguments: [nil, "ada@example.org"] as [String?])
    func roundTrip(consumer: String?) throws {
        let context = EventContext(
            correlationID: try WorkflowID("w"),
            causationID: MessageID(high: 5, low: 6),
            headers: ["a": "b", "": "", "x-dead-letter": "1"]
        )
        let letter = try letter(consumer: consumer.map { try ConsumerID($0) }, context: context)
        let back = try #require(DeadLetter(record: stored(letter)))
        #expect(back.number == letter.number)
        #expect(back.stream == letter.stream)
        #expect(back.subscription == letter.subscription)
        #expect(back.consumer == letter.consumer)
        #expect(back.reason == letter.reason)
        #expect(back.attempts == 7)
        #expect(back.firstFailure == letter.firstFailure)
        #expect(back.lastFailure == letter.lastFailure)
        #expect(back.event.offset == letter.event.offset)
        #expect(back.event.timestamp == letter.event.timestamp)
        #expect(back.event.id == letter.event.id)
        #expect(back.event.type == letter.event.type)
        #expect(back.event.size == 256)
        #expect(back.event.correlationID == context.correlationID)
        #expect(back.event.causationID == context.causationID)
        #expect(back.event.headers == context.headers)
        guard case .encoded(let bytes) = back.event.payload else {
            Issue.record("The payload is no longer encoded.")
            return
        }
        #expect(bytes == Array(0...255))
    }

    @Test("a dead letter that was given up in turn comes back with both")
    func nested() throws {
        let headers = ["a": "b", "dead-letter-mine": "1", "dead-letter-dead-letter-reason": "2"]
        let inner = stored(try letter(consumer: nil, context: EventContext(headers: headers)))
        let outer = DeadLetter(
            number: StreamOffset(8),
            event: inner,
            stream: try StreamName("mailer-dead-letters"),
            subscription: try SubscriptionID("alarm"),
            consumer: try ConsumerID("c"),
            reason: "outer",
            attempts: 2,
            firstFailure: Timestamp(nanosecondsSinceEpoch: 1),
            lastFailure: Timestamp(nanosecondsSinceEpoch: 2)
        )
        let back = try #require(DeadLetter(record: stored(outer)))
        #expect(back.reason == "outer" && back.attempts == 2)
        #expect(back.event.headers == inner.headers)
        let innermost = try #require(DeadLetter(record: back.event))
        #expect(innermost.reason == "\0 ü 😀" && innermost.attempts == 7 && innermost.consumer == nil)
        #expect(innermost.event.headers == headers)
    }

    @Test("what is given up over and over does not grow without end")
    func deeplyNested() throws {
        var event = stored(try letter(consumer: nil, context: EventContext(headers: ["a": "b"])))
        var counts: [Int] = []
        for _ in 0..<10 {
            event = stored(
                DeadLetter(
                    number: .zero,
                    event: event,
                    stream: try StreamName("mailer-dead-letters"),
                    subscription: try SubscriptionID("alarm"),
                    consumer: nil,
                    reason: "again",
                    attempts: 1,
                    firstFailure: Timestamp(nanosecondsSinceEpoch: 1),
                    lastFailure: Timestamp(nanosecondsSinceEpoch: 1)
                )
            )
            counts.append(event.headers.count)
            #expect(event.headers["a"] == "b")
        }
        #expect(counts.dropFirst(4).allSatisfy { $0 == counts.last && $0 < 60 }, "\(counts)")
    }

    @Test("an event without context has none afterwards")
    func emptyContext() throws {
        let back = try #require(DeadLetter(record: stored(try letter(consumer: nil, context: .empty))))
        #expect(back.event.headers.isEmpty)
        #expect(back.event.causationID == nil)
        #expect(back.event.correlationID == nil)
    }

    @Test("the record is caused by the event, and of the same type and workflow")
    func record() throws {
        let context = EventContext(correlationID: try WorkflowID("w"), headers: ["a": "b"])
        let record = try letter(consumer: nil, context: context).record(id: MessageID(high: 9, low: 9))
        #expect(record.id == MessageID(high: 9, low: 9))
        #expect(record.type == EventType(name: "Paid", version: 4))
        #expect(record.context.correlationID == context.correlationID)
        #expect(record.context.causationID == MessageID(high: 1, low: 2))
        #expect(record.context.headers["a"] == "b")
        #expect(record.context.headers["dead-letter-reason"] == "\0 ü 😀")
    }

    @Test(
        "headers that are no dead letter's are told",
        arguments: [
            "event-id", "offset", "timestamp", "stream", "subscription", "attempts", "first-failure", "last-failure",
        ]
    )
    func badHeaders(name: String) throws {
        let good = stored(try letter(consumer: nil, context: .empty))
        for value in [nil, "", "x", "a b", "99999999999999999999"] as [String?] {
            if let value, name == "stream" || name == "subscription", value == "x" || value.hasPrefix("9") {
                continue
            }
            var headers = good.headers
            headers["dead-letter-\(name)"] = value
            let record = StoredEvent(
                offset: good.offset,
                timestamp: good.timestamp,
                id: good.id,
                type: good.type,
                payload: good.payload,
                size: good.size,
                context: EventContext(headers: headers)
            )
            #expect(DeadLetter(record: record) == nil, "\(name) = \(value ?? "nil")")
        }
    }

    @Test("a subscription's name leaves room for that of its dead-letter stream")
    func streamName() throws {
        let stream = try StreamName("orders")
        let longest = try SubscriptionID(String(repeating: "x", count: 187))
        let definition = try SubscriptionDefinition(id: longest, stream: stream, mode: .exclusive)
        #expect(definition.deadLetterStream.rawValue == longest.rawValue + "-dead-letters")
        let error = #expect(throws: EventStreamingError.self) {
            let tooLong = try SubscriptionID(String(repeating: "x", count: 188))
            _ = try SubscriptionDefinition(id: tooLong, stream: stream, mode: .exclusive)
        }
        #expect(error?.code == .invalidName)
    }
}
