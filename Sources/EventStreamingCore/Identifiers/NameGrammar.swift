/// The grammar that names of streams, subscriptions and consumers share.
///
/// Names reach file systems, SQL, broker topologies, metric labels and log lines. So they are plain ASCII:
/// a letter or digit first, then letters, digits and a few marks, at most 200 bytes, and never two dots in a row.
struct NameGrammar {
    static let maximumLength = 200

    /// What the name is of, for the error's message.
    let kind: String
    /// The marks allowed besides letters and digits, never in the first place.
    let marks: String

    func validate(_ name: String) throws(EventStreamingError) {
        guard matches(name) else {
            throw .invalidName(
                name,
                kind: kind,
                rule: "use 1 to \(Self.maximumLength) ASCII letters, digits and any of \(marks), "
                    + "begin with a letter or digit, and avoid '..'"
            )
        }
    }

    private func matches(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= Self.maximumLength else { return false }
        var previous: UInt8 = 0
        for (index, byte) in name.utf8.enumerated() {
            let isDoubledDot = byte == UInt8(ascii: ".") && previous == byte
            guard Self.isLetterOrDigit(byte) || (index > 0 && marks.utf8.contains(byte) && !isDoubledDot) else {
                return false
            }
            previous = byte
        }
        return true
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            false
        }
    }
}
