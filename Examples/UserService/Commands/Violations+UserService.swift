import EventStreaming

/// The rules that several commands share. Each says what must be, so that a client can put it right.
extension Violations {
    /// A name of a person: at most 100 characters, not only spaces and signs, nothing that moves a cursor.
    mutating func personName(_ name: String, field: String) {
        length(name, in: 1...100, field: field)
        guard !name.isEmpty else { return }
        check(
            name.unicodeScalars.contains { $0.properties.isAlphabetic },
            field: field,
            rule: "letter",
            message: "must have at least one letter"
        )
        noControlCharacters(name, field: field)
    }

    /// An address of the usual form. Whether it exists only a mail can tell.
    mutating func email(_ email: String, field: String) {
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        let isAddress =
            parts.count == 2 && (1...64).contains(parts[0].utf8.count) && parts[1].contains(".")
            && parts[1].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
            && email.utf8.count <= 254
            && email.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && !Self.isControl($0) }
        check(isAddress, field: field, rule: "email", message: "must be an e-mail address such as ada@example.org")
    }

    /// An id that a client chose: fit for file names, addresses and terminals.
    mutating func reference(_ id: WorkflowID?, field: String) {
        guard let text = id?.rawValue else { return }
        let isReference =
            text.utf8.count <= 64 && !text.contains("..") && text.utf8.first.map(Self.isLetterOrDigit) == true
            && text.utf8.allSatisfy { Self.isLetterOrDigit($0) || "._-".utf8.contains($0) }
        check(
            isReference,
            field: field,
            rule: "reference",
            message: "must have 1 to 64 ASCII letters, digits, '.', '_' and '-', without '..', such as inv-17"
        )
    }

    private mutating func noControlCharacters(_ text: String, field: String) {
        check(
            text.unicodeScalars.allSatisfy { !Self.isControl($0) },
            field: field,
            rule: "noControlCharacters",
            message: "must not have control characters"
        )
    }

    /// Control characters, line separators, and the invisible marks that change the direction of what follows.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: scalar.properties.isBidiControl
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
