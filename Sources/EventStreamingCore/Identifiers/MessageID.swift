/// Identifies one command or one event: a UUID of version 7 (RFC 9562), so ids sort by the time they were made.
///
/// Event ids are unique within a stream: appending the same id again with the same content returns the first result.
/// Sixteen bytes, no allocation; text is made only on request.
public struct MessageID: Sendable, Hashable, Comparable {
    /// The first eight bytes, most significant first.
    public let high: UInt64
    /// The last eight bytes, most significant first.
    public let low: UInt64

    /// Creates an id from its 128 bits, taken as they are.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Orders ids by their bytes, that is by time for ids of version 7.
    public static func < (left: MessageID, right: MessageID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

// MARK: - Text

extension MessageID: LosslessStringConvertible {
    /// Reads the usual form of a UUID, `8-4-4-4-12` hexadecimal digits in either case; `nil` for anything else.
    public init?(_ description: String) {
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var position = 0
        for byte in description.utf8 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard digits < 32, let nibble = Self.nibble(byte) else { return nil }
                if digits < 16 {
                    words.0 = words.0 << 4 | nibble
                } else {
                    words.1 = words.1 << 4 | nibble
                }
                digits += 1
            }
            position += 1
        }
        guard position == 36 else { return nil }
        self.init(high: words.0, low: words.1)
    }

    /// The id as a UUID in lower case, for example `0199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e21`.
    public var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let word = index < 16 ? high : low
                let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (index & 15))) & 0xF
                buffer[position] = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
                position += 1
            }
            return 36
        }
    }

    private static func nibble(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

extension MessageID: Codable {
    /// Reads an id from its text form.
    ///
    /// - Throws: `DecodingError.dataCorrupted` when the text is not a UUID.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = MessageID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "A message id must be a UUID.")
        }
        self = id
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
