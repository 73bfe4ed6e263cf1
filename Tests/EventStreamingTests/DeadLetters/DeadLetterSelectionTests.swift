import EventStreaming
import Foundation
import Testing

@Suite("Selections of dead letters")
struct DeadLetterSelectionTests {
    @Test("can be kept as JSON and read back")
    func codable() throws {
        let selection = DeadLetterSelection(
            subscription: try SubscriptionID("mail"),
            filter: DeadLetterFilter(
                eventTypes: ["order-placed"], consumers: ["a"], reason: "timed out",
                workflow: try WorkflowID("order-1"),
                lastFailure: Timestamp(nanosecondsSinceEpoch: 1)..<Timestamp(nanosecondsSinceEpoch: 2), attempts: 1...3,
                numbers: [StreamOffset(1)..<StreamOffset(4)]),
            end: StreamOffset(17))
        let data = try JSONEncoder().encode(selection)
        #expect(try JSONDecoder().decode(DeadLetterSelection.self, from: data) == selection)
    }

    @Test(
        "what contradicts itself is refused",
        arguments: [
            #"{"subscription":"mail","filter":{"numbers":[[4,1]]},"end":9}"#,
            #"{"subscription":"a b","filter":{},"end":9}"#,
            #"{"subscription":"mail","filter":{"attempts":[3,1]},"end":9}"#,
        ]
    )
    func damaged(_ text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(DeadLetterSelection.self, from: Data(text.utf8))
        }
    }

    @Test("a cut-off that is negative selects nothing")
    func negative() throws {
        let text = #"{"subscription":"mail","filter":{},"end":-9}"#
        let selection = try JSONDecoder().decode(DeadLetterSelection.self, from: Data(text.utf8))
        #expect(selection.end == .zero)
    }
}
