import EventStreamingCore

/// Reads fields of protobuf from memory that anybody may have filled.
///
/// Reads nothing beyond the end. What is not as expected is `nil`; the caller then leaves the message to the general decoder,
/// which knows everything that is allowed.
struct ProtobufReader {
    private let memory: UnsafeRawBufferPointer
    private var position = 0

    init(_ memory: UnsafeRawBufferPointer) {
        self.memory = memory
    }

    var isAtEnd: Bool { position == memory.count }

    mutating func varint() -> UInt64? {
        var (number, shift): (UInt64, UInt64) = (0, 0)
        while position < memory.count, shift < 64 {
            let byte = memory[position]
            position += 1
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }

    mutating func fixed() -> UInt64? {
        guard memory.count - position >= 8 else { return nil }
        defer { position += 8 }
        return UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    /// The bytes of a field that has a length.
    mutating func bytes() -> UnsafeRawBufferPointer? {
        guard let length = varint(), length <= UInt64(memory.count - position) else { return nil }
        let start = position
        position += Int(length)
        return UnsafeRawBufferPointer(rebasing: memory[start..<position])
    }

    mutating func text() -> String? {
        guard let bytes = bytes() else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    mutating func messageID() -> MessageID? {
        guard let bytes = bytes() else { return nil }
        var reader = ProtobufReader(bytes)
        var (high, low): (UInt64, UInt64) = (0, 0)
        while !reader.isAtEnd {
            guard let key = reader.varint(), let half = reader.fixed() else { return nil }
            switch key {
            case 0x09: high = half
            case 0x11: low = half
            default: return nil
            }
        }
        return MessageID(high: high, low: low)
    }

    /// An entry of a map of texts.
    mutating func entry() -> (key: String, value: String)? {
        guard let bytes = bytes() else { return nil }
        var reader = ProtobufReader(bytes)
        var entry = (key: "", value: "")
        while !reader.isAtEnd {
            guard let key = reader.varint(), let text = reader.text() else { return nil }
            switch key {
            case 0x0A: entry.key = text
            case 0x12: entry.value = text
            default: return nil
            }
        }
        return entry
    }
}
