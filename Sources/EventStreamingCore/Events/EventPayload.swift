/// What an event says: the Swift value itself, or its bytes.
///
/// A store that keeps events in memory keeps values as they are; a store that needs bytes says so with
/// ``EventStreamStore/payloadForm`` and is given nothing else.
public enum EventPayload: Sendable {
    /// The event itself. Nothing was encoded.
    case value(any Event)
    /// The encoded event, opaque to stores and transports, which keep it byte for byte.
    case encoded([UInt8])
}

/// The form in which a store wants payloads.
public enum PayloadForm: Sendable, Hashable {
    /// Values are kept as they are; bytes are kept too where that is all there is.
    case value
    /// Only bytes.
    case encoded
}
