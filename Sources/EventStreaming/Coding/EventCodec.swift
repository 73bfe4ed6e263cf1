public import EventStreamingCore

/// Turns events into bytes and back, for stores and transports that need bytes.
public protocol EventCodec: Sendable {
    /// The event as bytes.
    ///
    /// - Throws: `EventStreamingError` with code `encodingFailed`.
    func encode<E: Event>(_ event: E) throws(EventStreamingError) -> [UInt8]

    /// The event that `bytes` hold.
    ///
    /// - Throws: `EventStreamingError` with code `decodingFailed`.
    func decode<E: Event>(_ type: E.Type, from bytes: [UInt8]) throws(EventStreamingError) -> E
}
