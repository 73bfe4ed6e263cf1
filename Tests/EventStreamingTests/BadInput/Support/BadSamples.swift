import EventStreaming
import Testing

/// An event that refuses to be encoded.
struct StubbornEvent: Event {
    typealias Process = OrderWorkflow
    var number = 0

    func encode(to encoder: any Encoder) throws {
        throw Failure(reason: "stubborn")
    }
}

/// A number that may be none.
struct OrderWeighed: Event, Equatable {
    typealias Process = OrderWorkflow
    var kilograms: Double
}

/// Tells a size of its own; really takes 24 bytes.
struct OrderSized: Event {
    typealias Process = OrderWorkflow
    var text = "0123456789abc"
    var payloadSize: Int?

    private enum CodingKeys: CodingKey {
        case text
    }
}

/// An event as deep as a test wants it.
struct OrderNested: Event {
    typealias Process = OrderWorkflow
    indirect enum Part: Codable, Sendable {
        case end
        case inside(Part)
    }

    var part: Part

    init(depth: Int) {
        part = (0..<depth).reduce(.end) { part, _ in .inside(part) }
    }
}

/// A text from outside, shown shortened.
struct BadName: Sendable, CustomTestStringConvertible {
    let text: String

    var testDescription: String {
        text.utf8.count > 40 ? "\(text.prefix(10).debugDescription)… (\(text.utf8.count) bytes)" : text.debugDescription
    }

    /// Texts that are no names of streams, subscriptions and consumers.
    static let all = [
        "", " ", "a b", " a", "a ", "\n", "a\nb", "tab\t", "nul\0", "\u{1B}[31mred", "..", "a..b", ".hidden", "-dash",
        "_low", "a/b", "a\\b", "../etc/passwd", "é", "e\u{301}", "🙂", "名前", "\u{200B}", "\u{202E}abc", "a%20b", "a;b",
        "' OR 1=1 --", "$(reboot)", "*", "a#b", String(repeating: "x", count: 201), String(repeating: "x", count: 300),
        String(repeating: "🙂", count: 300), String(repeating: "x", count: 100_000),
    ].map { BadName(text: $0) }

    /// Texts that are no id of a workflow, where almost everything is allowed.
    static let workflowIDs = [
        "", "\n", "a\nb", "tab\t", "nul\0", "\u{1B}[31mred", "\u{7F}", "\u{85}", String(repeating: "x", count: 201),
        String(repeating: "🙂", count: 51), String(repeating: "x", count: 100_000),
    ].map { BadName(text: $0) }
}
