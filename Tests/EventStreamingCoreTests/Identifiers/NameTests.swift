import EventStreamingCore
import Testing

@Suite("Names")
struct NameTests {
    private static let good = [
        "a", "A", "0", "user-events", "orders.v2", "a_b-c.d", "9lives", "a.b.c", "a-", "a.",
        String(repeating: "x", count: 200),
    ]

    private static let bad = [
        "", " ", "user events", " user", "user ", "-a", ".a", "_a", "..", "a..b", "a...b", "../etc/passwd", "a/b",
        "a\\b", "a\0b", "a\nb", "\u{7F}", "ü", "😀", "a😀", "e\u{301}", "а", "a*", "a?", "a%00", "a'b", "a\"b", "$a",
        "{a}", "\u{202E}a", "\u{FEFF}a", "a,b", "a;b", String(repeating: "x", count: 201),
        String(repeating: "x", count: 300),
    ]

    @Test("good names of streams, subscriptions and consumers", arguments: good)
    func goodNames(_ name: String) throws {
        #expect(try StreamName(name).rawValue == name)
        #expect(try SubscriptionID(name).description == name)
        #expect(try ConsumerID(name).rawValue == name)
    }

    @Test("bad names of streams, subscriptions and consumers", arguments: bad)
    func badNames(_ name: String) {
        #expect(code { _ = try StreamName(name) } == .invalidName)
        #expect(code { _ = try SubscriptionID(name) } == .invalidName)
        #expect(code { _ = try ConsumerID(name) } == .invalidName)
    }

    @Test("consumers may be called as people are addressed, streams may not")
    func consumerMarks() throws {
        for name in ["ada@example.org", "host:8080", "a+b"] {
            #expect(try ConsumerID(name).rawValue == name)
            #expect(code { _ = try StreamName(name) } == .invalidName)
        }
    }

    @Test("the length is counted in bytes")
    func lengthInBytes() {
        #expect(throws: Never.self) { try WorkflowID(String(repeating: "ü", count: 100)) }
        #expect(code { _ = try WorkflowID(String(repeating: "ü", count: 100) + "x") } == .invalidName)
        #expect(code { _ = try WorkflowID(String(repeating: "😀", count: 51)) } == .invalidName)
    }

    @Test("workflow ids may be any text", arguments: ["order-4711", " ", "..", "ü 😀", "a/b", "'; --", "-"])
    func goodWorkflowIDs(_ text: String) throws {
        #expect(try WorkflowID(text).rawValue == text)
    }

    @Test("workflow ids have no control characters", arguments: ["", "\0", "a\nb", "a\u{7F}", "\u{85}", "\t"])
    func badWorkflowIDs(_ text: String) {
        #expect(code { _ = try WorkflowID(text) } == .invalidName)
    }

    @Test("a fresh workflow id is the message id as text")
    func freshWorkflowID() {
        let id = MessageID(high: 1, low: 2)
        #expect(WorkflowID(id).rawValue == id.description)
    }

    @Test("the error shows the name shortened and without control characters")
    func message() throws {
        let error = #expect(throws: EventStreamingError.self) {
            try StreamName("\u{1B}[31m\n" + String(repeating: "x", count: 300))
        }
        let message = try #require(error?.message)
        #expect(message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        #expect(message.count < 300)
        #expect(message.contains("stream name"))
    }

    @Test("names are in order of their text")
    func order() throws {
        let names = try ["a", "B", "b", "A"].map { try StreamName($0) }
        #expect(names.sorted().map(\.rawValue) == ["A", "B", "a", "b"])
    }

    private func code(_ body: () throws -> Void) -> EventStreamingError.Code? {
        let error = #expect(throws: EventStreamingError.self) { try body() }
        return error?.code
    }
}
