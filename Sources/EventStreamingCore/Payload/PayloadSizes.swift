/// How many bytes single values take as compact JSON.
enum PayloadSizes {
    /// A text with its quotes and escapes.
    static func ofText(_ text: String) -> Int {
        text.utf8.withContiguousStorageIfAvailable { ofUTF8(UnsafeRawBufferPointer($0)) }
            ?? Array(text.utf8).withUnsafeBytes { ofUTF8($0) }
    }

    /// Bytes as a list of decimal numbers.
    static func ofList(_ bytes: [UInt8]) -> Int {
        let digits = bytes.withUnsafeBytes { Self.digits(in: $0) }
        return 2 + digits + max(0, bytes.count - 1)
    }

    /// A whole number in decimal.
    static func ofInteger<Integer: FixedWidthInteger>(_ number: Integer) -> Int {
        guard Integer.bitWidth <= UInt64.bitWidth else { return String(number).utf8.count }
        return ofInteger(isNegative: number < 0, magnitude: UInt64(truncatingIfNeeded: number.magnitude))
    }

    /// A whole number in decimal.
    static func ofInteger(isNegative: Bool, magnitude: UInt64) -> Int {
        var digits = isNegative ? 2 : 1
        var rest = magnitude
        while rest >= 10_000 {
            rest /= 10_000
            digits += 4
        }
        return digits + (rest >= 1000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }

    // MARK: - Scanning

    private static func ofUTF8(_ bytes: UnsafeRawBufferPointer) -> Int {
        // Nearly no text needs an escape, and that is found out eight bytes at a time.
        let isPlain = isPlain(bytes)
        return 2 + bytes.count + (isPlain ? 0 : escapes(in: bytes))
    }

    private static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var found: UInt64 = 0
        var position = 0
        while position &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quote = word ^ UInt8(ascii: "\"").everywhere
            let backslash = word ^ UInt8(ascii: "\\").everywhere
            // The top bit of some byte ends up set if, and only if, a byte is below 0x20, or is zero.
            found |= (word &- UInt8(0x20).everywhere) & ~word
            found |= (quote &- UInt8(1).everywhere) & ~quote
            found |= (backslash &- UInt8(1).everywhere) & ~backslash
            position &+= 8
        }
        var isPlain = found & UInt8(0x80).everywhere == 0
        while position < bytes.count {
            let byte = bytes[position]
            isPlain = isPlain && byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            position &+= 1
        }
        return isPlain
    }

    private static func escapes(in bytes: UnsafeRawBufferPointer) -> Int {
        var count = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: count += 1
            case 0..<0x20: count += 5
            default: break
            }
        }
        return count
    }

    private static func digits(in bytes: UnsafeRawBufferPointer) -> Int {
        var digits = bytes.count
        var position = 0
        while position &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let low = word & UInt8(0x7F).everywhere
            // The top bit of each byte tells whether it is above 9, and whether it is above 99.
            let above9 = (((low &+ UInt8(127 - 9).everywhere) | word) & UInt8(0x80).everywhere) >> 7
            let above99 = (((low &+ UInt8(127 - 99).everywhere) | word) & UInt8(0x80).everywhere) >> 7
            digits &+= Int(truncatingIfNeeded: ((above9 &+ above99) &* UInt8(1).everywhere) >> 56)
            position &+= 8
        }
        while position < bytes.count {
            digits &+= (bytes[position] > 9 ? 1 : 0) + (bytes[position] > 99 ? 1 : 0)
            position &+= 1
        }
        return digits
    }
}

extension UInt8 {
    /// The byte in all eight bytes of a word.
    fileprivate var everywhere: UInt64 { UInt64(self) &* 0x0101_0101_0101_0101 }
}
