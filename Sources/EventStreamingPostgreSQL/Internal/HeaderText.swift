#if PostgreSQL
/// Headers as the text of a JSON object whose values are strings, and back.
///
/// Written by hand: a general JSON library would cost more than the rest of an append.
enum HeaderText {
    static func write(_ headers: [String: String], to writer: inout BinaryWriter) {
        var isFirst = true
        writer.write(UInt8(ascii: "{"))
        for (name, value) in headers {
            if !isFirst { writer.write(UInt8(ascii: ",")) }
            isFirst = false
            writeString(name, to: &writer)
            writer.write(UInt8(ascii: ":"))
            writeString(value, to: &writer)
        }
        writer.write(UInt8(ascii: "}"))
    }

    static func text(_ headers: [String: String]) -> String {
        var writer = BinaryWriter()
        write(headers, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func writeString(_ text: String, to writer: inout BinaryWriter) {
        writer.write(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                writer.write(UInt8(ascii: "\\"))
                writer.write(byte)
            case 0..<0x20:
                writer.write("\\u00")
                writer.write(hexDigit(byte >> 4))
                writer.write(hexDigit(byte & 0xF))
            default:
                writer.write(byte)
            }
        }
        writer.write(UInt8(ascii: "\""))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Reads headers; `nil` when this is not an object of strings.
    static func read(_ bytes: UnsafeRawBufferPointer) -> [String: String]? {
        var parser = Parser(bytes: bytes)
        return parser.object()
    }

    private struct Parser {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func object() -> [String: String]? {
            guard take(UInt8(ascii: "{")) else { return nil }
            var headers: [String: String] = [:]
            if take(UInt8(ascii: "}")) { return isAtEnd() ? headers : nil }
            repeat {
                guard let name = string(), take(UInt8(ascii: ":")), let value = string() else { return nil }
                headers[name] = value
            } while take(UInt8(ascii: ","))
            return take(UInt8(ascii: "}")) && isAtEnd() ? headers : nil
        }

        private mutating func isAtEnd() -> Bool {
            skipSpace()
            return next == nil
        }

        private mutating func skipSpace() {
            while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard next == byte else { return false }
            position += 1
            return true
        }

        private mutating func string() -> String? {
            guard take(UInt8(ascii: "\"")) else { return nil }
            let start = position
            while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
            var text = [UInt8](bytes[start..<position])
            while let byte = next {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let scalar = escaped() else { return nil }
                    text.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
                default: text.append(byte)
                }
            }
            return nil
        }

        private mutating func escaped() -> Unicode.Scalar? {
            guard let byte = next else { return nil }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "u"): return unicode()
            default: return nil
            }
        }

        private mutating func unicode() -> Unicode.Scalar? {
            guard let high = codeUnit() else { return nil }
            guard (0xD800...0xDBFF).contains(high) else { return Unicode.Scalar(high) }
            guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { return nil }
            position += 2
            guard let low = codeUnit(), (0xDC00...0xDFFF).contains(low) else { return nil }
            return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        }

        private mutating func codeUnit() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            defer { position += 4 }
            var value: UInt32 = 0
            for byte in bytes[position..<position + 4] {
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
                value = value << 4 | UInt32(digit)
            }
            return value
        }
    }
}
#endif
