public import EventStreamingCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The default codec: JSON, with dates by ISO 8601 and keys in order, so that the same event gives the same bytes.
public struct JSONEventCodec: EventCodec {
    /// Creates a codec.
    public init() {}

    /// The event as JSON.
    ///
    /// - Throws: `EventStreamingError` with code `encodingFailed`.
    public func encode<E: Event>(_ event: E) throws(EventStreamingError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            return [UInt8](try encoder.encode(event))
        } catch {
            throw EventStreamingError(
                .encodingFailed,
                "\(E.eventType) cannot be encoded as JSON; check its properties and its encode(to:).",
                underlying: error
            )
        }
    }

    /// The event that the JSON text holds.
    ///
    /// - Throws: `EventStreamingError` with code `decodingFailed`.
    public func decode<E: Event>(_ type: E.Type, from bytes: [UInt8]) throws(EventStreamingError) -> E {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            return try decoder.decode(E.self, from: Data(bytes))
        } catch {
            throw EventStreamingError(
                .decodingFailed,
                "The stored bytes are not a \(E.eventType); its form may have changed without a new version.",
                underlying: error
            )
        }
    }
}
