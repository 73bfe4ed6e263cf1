/// Identifies one run of a business process, and correlates everything that happens in it.
///
/// The id of a workflow is the correlation id of every event emitted in it. A new workflow gets a fresh one; a command
/// that continues a workflow carries it. Any text of 1 to 200 bytes without control characters will do, so an id of
/// the business (`order-4711`) can be used as it is.
public struct WorkflowID: TextIdentifier {
    /// The id as text.
    public let rawValue: String

    /// Takes `rawValue` as the id.
    ///
    /// - Throws: ``EventStreamingError`` with code `invalidName` when the text is empty, longer than 200 bytes or has
    ///   a control character.
    public init(_ rawValue: String) throws(EventStreamingError) {
        guard !rawValue.isEmpty, rawValue.utf8.count <= NameGrammar.maximumLength else {
            throw .invalidName(
                rawValue, kind: "workflow id", rule: "use 1 to \(NameGrammar.maximumLength) bytes of text")
        }
        // Most are plain ASCII, and stores make one for every event they read.
        let isPlain = rawValue.utf8.allSatisfy { 0x20 <= $0 && $0 < 0x7F }
        guard isPlain || rawValue.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw .invalidName(rawValue, kind: "workflow id", rule: "leave out control characters")
        }
        self.rawValue = rawValue
    }

    /// Creates the id of a new workflow from a fresh message id. Cannot fail.
    public init(_ id: MessageID) {
        rawValue = id.description
    }
}
