/// What an append expects of its stream; it fails with code `wrongExpectedVersion` and changes nothing otherwise.
public enum ExpectedVersion: Sendable, Hashable {
    /// Anything. The default.
    case any
    /// No event was ever appended.
    case noStream
    /// At least one event was appended.
    case exists
    /// Exactly this many events were appended: the next one gets this offset.
    case exactly(StreamOffset)
}
