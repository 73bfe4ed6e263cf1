import EventStreamingCore
import Foundation
import Testing

@Suite("Coding of identifiers")
struct IdentifierCodingTests {
    private struct Everything: Codable, Equatable {
        let stream: StreamName
        let subscription: SubscriptionID
        let consumer: ConsumerID
        let workflow: WorkflowID
        let message: MessageID
        let offset: StreamOffset
        let time: Timestamp
    }

    @Test("all of them are plain texts and numbers, and come back")
    func roundTrip() throws {
        let value = Everything(
            stream: try StreamName("user-events"),
            subscription: try SubscriptionID("mailer"),
            consumer: try ConsumerID("ada@example.org"),
            workflow: try WorkflowID("ü"),
            message: MessageID(high: 1, low: 2),
            offset: StreamOffset(.max),
            time: Timestamp(nanosecondsSinceEpoch: .min)
        )
        let data = try JSONEncoder().encode(value)
        #expect(try JSONDecoder().decode(Everything.self, from: data) == value)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["stream"] as? String == "user-events")
        #expect(object["message"] as? String == "00000000-0000-0001-0000-000000000002")
        #expect(object["offset"] as? Int64 == .max)
        #expect(object["time"] as? Int64 == .min)
    }

    @Test("texts that break a rule do not decode")
    func badTexts() {
        #expect(throws: DecodingError.self) { try decode(StreamName.self, #""a b""#) }
        #expect(throws: DecodingError.self) { try decode(SubscriptionID.self, #""""#) }
        #expect(throws: DecodingError.self) { try decode(ConsumerID.self, #""..""#) }
        #expect(throws: DecodingError.self) { try decode(WorkflowID.self, #""\u0000""#) }
        #expect(throws: DecodingError.self) { try decode(MessageID.self, #""4711""#) }
        #expect(throws: DecodingError.self) { try decode(MessageID.self, "4711") }
        #expect(throws: DecodingError.self) { try decode(StreamOffset.self, "9223372036854775808") }
        #expect(throws: DecodingError.self) { try decode(Timestamp.self, #""2026""#) }
    }

    @Test("a negative offset decodes as the first")
    func negativeOffset() throws {
        #expect(try decode(StreamOffset.self, "-9223372036854775808") == .zero)
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ json: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(json.utf8))
    }
}
