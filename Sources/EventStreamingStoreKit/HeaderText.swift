import EventStreamingCore

/// The headers of an event as text: one JSON object whose values are texts.
///
/// Every character survives. Control characters are escaped, NUL among them, so the text fits into databases that
/// cannot keep a NUL. Equal headers give equal texts.
package enum HeaderText {
    /// The text; `nil` for no headers.
    package static func text(of headers: [String: String]) -> String? {
        guard !headers.isEmpty else { return nil }
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            if bytes.count > 1 {
                bytes.append(UInt8(ascii: ","))
            }
            append(name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            append(value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The headers of a text; `nil` when the text is not of the form that ``text(of:)`` gives.
    ///
    /// Any JSON object of texts is read, as somebody may have written the table with other means.
    package static func headers(of text: some Collection<UInt8>) -> [String: String]? {
        var reader = Reader(bytes: Array(text))
        return reader.object()
    }

    /// The partition key among the headers of a text, if it has one. Cheap where it has none.
    package static func partitionKey(in text: UnsafeRawBufferPointer) -> String? {
        let name = PartitionKey.header.utf8
        guard text.count > name.count, contains(name, in: text) else { return nil }
        return headers(of: text)?[PartitionKey.header]
    }

    private static func contains(_ name: String.UTF8View, in text: UnsafeRawBufferPointer) -> Bool {
        guard let first = name.first else { return true }
        return (0...text.count - name.count).contains { index in
            text[index] == first && text[index..<index + name.count].elementsEqual(name)
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20, 0x7F:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 0xF))
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }
}

extension HeaderText {
    /// Reads one JSON object of texts.
    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func object() -> [String: String]? {
            guard take("{") else { return nil }
            var headers: [String: String] = [:]
            if !take("}") {
                repeat {
                    guard let name = text(), take(":"), let value = text() else { return nil }
                    headers[name] = value
                } while take(",")
                guard take("}") else { return nil }
            }
            skipSpace()
            return position == bytes.count ? headers : nil
        }

        private mutating func skipSpace() {
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
                position += 1
            }
        }

        private mutating func take(_ mark: Unicode.Scalar) -> Bool {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
            position += 1
            return true
        }

        private mutating func text() -> String? {
            guard take("\"") else { return nil }
            var content: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                switch byte {
                case UInt8(ascii: "\""):
                    return String(validating: content, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard appendEscape(to: &content) else { return nil }
                default:
                    content.append(byte)
                }
            }
            return nil
        }

        private mutating func appendEscape(to content: inout [UInt8]) -> Bool {
            guard position < bytes.count else { return false }
            let mark = bytes[position]
            position += 1
            switch mark {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(mark)
            case UInt8(ascii: "b"): content.append(0x08)
            case UInt8(ascii: "f"): content.append(0x0C)
            case UInt8(ascii: "n"): content.append(0x0A)
            case UInt8(ascii: "r"): content.append(0x0D)
            case UInt8(ascii: "t"): content.append(0x09)
            case UInt8(ascii: "u"):
                guard let scalar = scalar() else { return false }
                content.append(contentsOf: String(Character(scalar)).utf8)
            default: return false
            }
            return true
        }

        /// A scalar given by one escape, or by two that are a surrogate pair.
        private mutating func scalar() -> Unicode.Scalar? {
            guard let first = codeUnit() else { return nil }
            guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
            guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { return nil }
            position += 2
            guard let second = codeUnit(), UTF16.isTrailSurrogate(second) else { return nil }
            return Unicode.Scalar(0x10000 + (UInt32(first) & 0x3FF) << 10 + UInt32(second) & 0x3FF)
        }

        private mutating func codeUnit() -> UInt16? {
            guard bytes.count - position >= 4 else { return nil }
            var unit: UInt16 = 0
            for byte in bytes[position..<position + 4] {
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
                unit = unit << 4 | UInt16(digit)
            }
            position += 4
            return unit
        }
    }
}
