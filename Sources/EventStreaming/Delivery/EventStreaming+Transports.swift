package import EventStreamingCore
package import Logging

/// What transports need of a service besides ``EventStreaming/deliveryProvider``.
extension EventStreaming {
    /// Where the service logs.
    package var logger: Logger { engine.options.logger }
    /// Makes ids for what comes without one.
    package var messageIDs: MessageIDGenerator { engine.appender.ids }
    /// The most bytes that an event may have.
    package var maximumPayloadBytes: Int { engine.options.limits.maximumPayloadBytes }

    /// The payload of an event as bytes.
    ///
    /// - Throws: `encodingFailed`.
    package func encodedPayload(of event: StoredEvent) throws(EventStreamingError) -> [UInt8] {
        switch event.payload {
        case .encoded(let bytes): bytes
        case .value(let value): try engine.options.codec.encode(value)
        }
    }
}
