public import EventStreamingCore

/// A dead letter with what a person wants to see of it. The error, the attempts, the times and the headers are in the
/// ``letter``.
public struct DeadLetterDetails: Sendable {
    /// What the event says, for people.
    public enum Payload: Sendable, Hashable {
        /// It is JSON.
        case json(String)
        /// It is something else.
        case bytes([UInt8])
    }

    /// The dead letter.
    public let letter: DeadLetter
    /// What the event says.
    public let payload: Payload
    /// Why the payload cannot be read as an event of its type by this service; `nil` when it can. A redriven event that
    /// cannot be read is given up again.
    public let decodingError: String?
    /// Whether it can be redriven: its consumer's position is there, and the subscription wants its type.
    public let isRedrivable: Bool
}
