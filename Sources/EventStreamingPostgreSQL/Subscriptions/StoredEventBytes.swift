#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// A whole event as bytes, for one that returns from the dead letters: its own row may be gone.
enum StoredEventBytes {
    private static let version: UInt8 = 1

    static func write(_ event: StoredEvent, to writer: inout BinaryWriter) {
        writer.write(version)
        writer.write(event.offset.rawValue)
        writer.write(event.timestamp.nanosecondsSinceEpoch)
        writer.write(event.id)
        writer.write(Int64(event.type.version))
        writer.write(Int64(event.size))
        write(event.type.name, to: &writer)
        writer.write(UInt8(event.causationID == nil ? 0 : 1))
        writer.write(event.causationID ?? MessageID(high: 0, low: 0))
        write(event.correlationID?.rawValue ?? "", to: &writer)
        write(HeaderText.text(of: event.headers) ?? "", to: &writer)
        if case .encoded(let bytes) = event.payload {
            bytes.withUnsafeBytes { writer.write($0) }
        }
    }

    private static func write(_ text: String, to writer: inout BinaryWriter) {
        writer.write(Int64(text.utf8.count))
        writer.write(text)
    }

    /// - Throws: `storeDamaged` when these are not the bytes of an event.
    static func read(_ bytes: UnsafeRawBufferPointer) throws(EventStreamingError) -> StoredEvent {
        var reader = Reader(bytes: bytes)
        guard reader.number(UInt8.self) == version,
            let offset = reader.number(Int64.self),
            let timestamp = reader.number(Int64.self),
            let id = reader.id(),
            let typeVersion = reader.number(Int64.self),
            let size = reader.number(Int64.self),
            let name = reader.text(),
            let hasCausation = reader.number(UInt8.self),
            let causation = reader.id(),
            let correlation = reader.text(),
            let headerBytes = reader.chunk(),
            let headers = headerBytes.isEmpty ? [:] : HeaderText.headers(of: headerBytes)
        else {
            throw EventStreamingError(.storeDamaged, "The database is damaged: the copy of a redriven event is none.")
        }
        return StoredEvent(
            offset: StreamOffset(offset),
            timestamp: Timestamp(nanosecondsSinceEpoch: timestamp),
            id: id,
            type: EventType(name: name, version: Int(typeVersion)),
            payload: .encoded(Array(reader.rest)),
            size: Int(size),
            context: EventContext(
                correlationID: correlation.isEmpty ? nil : try WorkflowID(stored: correlation),
                causationID: hasCausation == 1 ? causation : nil,
                headers: headers
            )
        )
    }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[position...]) }

        mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
            let size = MemoryLayout<Number>.size
            guard bytes.count - position >= size else { return nil }
            defer { position += size }
            return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
        }

        mutating func id() -> MessageID? {
            guard let high = number(UInt64.self), let low = number(UInt64.self) else { return nil }
            return MessageID(high: high, low: low)
        }

        mutating func chunk() -> UnsafeRawBufferPointer? {
            guard let count = number(Int64.self), count >= 0, count <= bytes.count - position else { return nil }
            defer { position += Int(count) }
            return UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)])
        }

        mutating func text() -> String? {
            chunk().map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
#endif
