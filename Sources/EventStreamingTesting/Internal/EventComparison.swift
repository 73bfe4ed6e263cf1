import EventStreaming
import EventStreamingCore

/// Compares and describes events whose types are known only at run time.
enum EventComparison {
    /// Whether `actual` is an `E` that equals `expected`.
    static func equal<E: Event & Equatable>(_ actual: any Event, _ expected: E) -> Bool {
        (actual as? E) == expected
    }

    /// Whether the event belongs to the process, so that a handler in it can emit the event.
    static func isEvent<E: Event, Process: Workflow>(_ event: E, of process: Process.Type) -> Bool {
        E.Process.self == Process.self
    }

    /// What is wrong with the event after it was encoded and decoded; `nil` when it is the same.
    static func problem<E: Event>(encoding event: E, with codec: any EventCodec) -> String? {
        do throws(EventStreamingError) {
            let bytes = try codec.encode(event)
            let decoded = try codec.decode(E.self, from: bytes)
            let isSame: Bool
            if let equatable = event as? any (Event & Equatable) {
                isSame = equal(decoded, equatable)
            } else {
                isSame = try codec.encode(decoded) == bytes
            }
            guard !isSame else { return nil }
            let (before, after) = (describe(event), describe(decoded))
            // A date's text, for example, does not show the milliseconds that were lost.
            let form = before == after ? "\n       which looks the same, by way of \(text(bytes))" : ""
            return "\(before) became\n       \(after)\(form)"
        } catch {
            return "\(describe(event)) threw\n       \(error)"
        }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        let limit = 500
        return String(decoding: bytes.prefix(limit), as: UTF8.self) + (bytes.count > limit ? "…" : "")
    }

    /// The value with its type, also when its text alone would not show it.
    static func describe(_ value: any Sendable) -> String {
        if let text = value as? String { return text.debugDescription }
        let (text, type) = ("\(value)", "\(type(of: value))")
        return text.contains(type) ? text : "\(type): \(text)"
    }

    /// A numbered list for a message, one event on each line, those at `marked` with a sign.
    static func list(_ events: [String], marked: Set<Int> = []) -> String {
        guard !events.isEmpty else { return "\n    (none)" }
        return events.enumerated().map { index, event in
            "\n  \(marked.contains(index) ? "≠" : " ") \(index + 1). \(event)"
        }.joined()
    }
}
