public import EventStreamingCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The default codec: JSON, with keys in order, so that the same event gives the same bytes.
///
/// Dates are written by ISO 8601 in UTC, to the nanosecond; those outside the years 1 to 9999 cannot be encoded.
public struct JSONEventCodec: EventCodec {
    /// Creates a codec.
    public init() {}

    /// The event as JSON.
    ///
    /// - Throws: `EventStreamingError` with code `encodingFailed`.
    public func encode<E: Event>(_ event: E) throws(EventStreamingError) -> [UInt8] {
        try JSONText.encode(event, as: E.eventType)
    }

    /// The event that the JSON text holds.
    ///
    /// - Throws: `EventStreamingError` with code `decodingFailed`.
    public func decode<E: Event>(_ type: E.Type, from bytes: [UInt8]) throws(EventStreamingError) -> E {
        try JSONText.decode(type, from: bytes, as: E.eventType)
    }
}

/// JSON as the library writes it: keys in order, so that the same value gives the same bytes.
enum JSONText {
    /// - Parameter name: What the value is, for a message.
    /// - Throws: `encodingFailed`.
    static func encode<Value: Encodable>(_ value: Value, as name: String) throws(EventStreamingError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { try DateText.encode($0, to: $1) }
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            throw EventStreamingError(
                .encodingFailed,
                "\(name) cannot be encoded as JSON; check its properties and its encode(to:).",
                underlying: error
            )
        }
    }

    /// - Parameter name: What the value should be, for a message.
    /// - Throws: `decodingFailed`.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: [UInt8],
        as name: String
    ) throws(EventStreamingError) -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { try DateText.decode(from: $0) }
        do {
            return try decoder.decode(Value.self, from: Data(bytes))
        } catch {
            throw EventStreamingError(
                .decodingFailed,
                "The stored bytes are not a \(name); its form may have changed without a new version.",
                underlying: error
            )
        }
    }
}

extension JSONText {
    /// The text of bytes that are JSON; `nil` for others.
    static func text(of bytes: [UInt8]) -> String? {
        struct Anything: Decodable {
            init(from decoder: any Decoder) {}
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let isJSON = (try? JSONDecoder().decode(Anything.self, from: Data(bytes))) != nil
        return isJSON && text.utf8.elementsEqual(bytes) ? text : nil
    }
}

/// Dates as ISO 8601 in UTC, to the nanosecond: `2026-11-23T08:55:44Z`, `2026-11-23T08:55:44.12Z`.
///
/// Foundation's own strategy drops fractions of seconds, and writes dates that it cannot read.
private enum DateText {
    /// Years 1 to 9999, what four digits can tell.
    private static let range =
        Date(timeIntervalSince1970: -62_135_596_800)..<Date(timeIntervalSince1970: 253_402_300_800)

    static func encode(_ date: Date, to encoder: any Encoder) throws {
        guard range.contains(date) else {
            // The number and not the date, which cannot always be described.
            throw EncodingError.invalidValue(
                date.timeIntervalSince1970,
                EncodingError.Context(codingPath: encoder.codingPath, debugDescription: "Use dates of years 1 to 9999.")
            )
        }
        var container = encoder.singleValueContainer()
        try container.encode(text(of: date))
    }

    static func decode(from decoder: any Decoder) throws -> Date {
        let container = try decoder.singleValueContainer()
        guard let date = date(of: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "This is no date of ISO 8601.")
        }
        return date
    }

    private static func text(of date: Date) -> String {
        let interval = date.timeIntervalSinceReferenceDate
        var seconds = interval.rounded(.down)
        var nanoseconds = Int(((interval - seconds) * 1e9).rounded())
        if nanoseconds == 1_000_000_000 {
            (seconds, nanoseconds) = (seconds + 1, 0)
        }
        let text = Date(timeIntervalSinceReferenceDate: seconds).formatted(.iso8601)
        guard nanoseconds > 0 else { return text }
        var digits = String(nanoseconds)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.last == "0" {
            digits.removeLast()
        }
        return "\(text.dropLast()).\(digits)Z"
    }

    private static func date(of text: String) -> Date? {
        guard let point = text.firstIndex(of: ".") else { return try? Date(text, strategy: .iso8601) }
        let digits = text[text.index(after: point)...].prefix { $0.isASCII && $0.isNumber }
        let zone = text[digits.endIndex...]
        guard !digits.isEmpty, !zone.contains("."), let fraction = Double("0.\(digits)"),
            let date = try? Date(text[..<point] + zone, strategy: .iso8601)
        else { return nil }
        return Date(timeIntervalSinceReferenceDate: date.timeIntervalSinceReferenceDate + fraction)
    }
}
