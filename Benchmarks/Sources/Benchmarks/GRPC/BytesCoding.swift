import GRPCCore

/// Messages that are the bytes they are: what gRPC does is measured, not a format.
struct BytesCoding: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        Bytes(message)
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> [UInt8] {
        serializedMessageBytes.withUnsafeBytes { Array($0) }
    }
}

/// As much of the format of protobuf as it takes to speak to our server without our code.
enum Protobuf {
    static func varint(_ number: UInt64) -> [UInt8] {
        var (rest, bytes) = (number, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] { varint(number << 3) + varint(value) }

    static func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }

    static func field(_ number: UInt64, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

    /// The contents of all fields of this number that hold bytes.
    static func fields(_ number: UInt64, in message: [UInt8]) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        var place = 0
        while place < message.count {
            let key = try readVarint(message, &place)
            let length: Int
            switch key & 7 {
            case 0:
                _ = try readVarint(message, &place)
                continue
            case 1: length = 8
            case 2: length = Int(clamping: try readVarint(message, &place))
            default: length = 4
            }
            guard length <= message.count - place else { throw Problem("A message breaks off.") }
            if key == number << 3 | 2 { found.append(Array(message[place..<place + length])) }
            place += length
        }
        return found
    }

    private static func readVarint(_ message: [UInt8], _ place: inout Int) throws -> UInt64 {
        var (number, shift): (UInt64, UInt64) = (0, 0)
        while place < message.count {
            let byte = message[place]
            place += 1
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        throw Problem("A message breaks off.")
    }
}
