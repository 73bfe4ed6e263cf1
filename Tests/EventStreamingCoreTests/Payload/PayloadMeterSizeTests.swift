import EventStreamingCore
import Foundation
import Testing

@Suite("PayloadMeter: sizes as those of JSONEncoder")
struct PayloadMeterSizeTests {
    private func expectSameSize(
        _ value: some Encodable,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let data = try encoder.encode(value)
        let size = try PayloadMeter.size(of: value, limit: .max)
        #expect(
            size == data.count, "\(String(decoding: data.prefix(200), as: UTF8.self))", sourceLocation: sourceLocation)
    }

    @Test("whole numbers")
    func integers() throws {
        for exponent in 0..<63 {
            for number in [Int64(1) << exponent, (Int64(1) << exponent) - 1, -(Int64(1) << exponent)] {
                try expectSameSize(number)
            }
        }
        var power = 1
        for _ in 0..<18 {
            try expectSameSize([power - 1, power, power + 1, -power])
            power *= 10
        }
        try expectSameSize([Int.min, .max, 0])
        try expectSameSize([UInt64.min, .max])
        try expectSameSize([Int8.min, .max, 0])
        try expectSameSize([Int16.min, .max])
        try expectSameSize([Int32.min, .max])
        try expectSameSize([UInt16.max, 9, 10, 99, 100, 999, 1000, 9999, 10_000])
        try expectSameSize(Integers())
    }

    private struct Integers: Encodable {
        var int = Int.min
        var int8 = Int8.min
        var int16 = Int16.max
        var int32 = Int32.min
        var int64 = Int64.max
        var uint = UInt.max
        var uint8 = UInt8.max
        var uint16 = UInt16.max
        var uint32 = UInt32.max
        var uint64 = UInt64.max
    }

    @Test("numbers of 128 bits are counted by their digits")
    func wideIntegers() throws {
        #expect(try PayloadMeter.size(of: Int128.min, limit: .max) == Int128.min.description.utf8.count)
        #expect(try PayloadMeter.size(of: [UInt128.max], limit: .max) == UInt128.max.description.utf8.count + 2)
    }

    @Test("other numbers")
    func floatingPoint() throws {
        try expectSameSize([
            0.0, -0.0, 1, -1, 0.1, 1.5, 1e15, 1e16, 1e17, 1e100, 1e-5, 1e-10, 1 / 3, .pi, 123_456_789.123_456_789,
            .greatestFiniteMagnitude, .leastNonzeroMagnitude, -.greatestFiniteMagnitude,
        ])
        try expectSameSize([Float(0), 1, 0.1, 1 / 3, .pi, .greatestFiniteMagnitude, .leastNonzeroMagnitude])
        try expectSameSize(FloatingPoints())
        for _ in 0..<500 {
            let number = Double(bitPattern: .random(in: 0 ... .max))
            if number.isFinite {
                try expectSameSize(number)
            }
        }
    }

    private struct FloatingPoints: Encodable {
        var double = 0.25
        var float = Float(2.5)
    }

    @Test(
        "texts",
        arguments: [
            "", "a", "hello", "\"", "\\", "/", "\0", "\n\r\t\u{8}\u{C}", "\u{1}\u{1F}\u{7F}", "ü", "é", "e\u{301}", "😀",
            "👨‍👩‍👧", "\u{2028}\u{2029}", "\u{FFFF}", "\u{10FFFF}", "1234567\"", "12345678\"", "123456789\u{1}",
            "1234567\\8",
            String(repeating: "abcdefghij", count: 20), String(repeating: "ü\n\"", count: 100),
            String(repeating: "\u{1F}", count: 33),
        ]
    )
    func texts(_ text: String) throws {
        try expectSameSize(text)
        try expectSameSize([text, text])
        try expectSameSize(["key": text])
        try expectSameSize([text: 1])
    }

    @Test("every ASCII character, alone and at every place in a word")
    func characters() throws {
        for scalar in (0..<128).map({ Unicode.Scalar(UInt8($0)) }) {
            let character = String(Character(scalar))
            for place in 0..<16 {
                try expectSameSize(String(repeating: "x", count: place) + character + String(repeating: "y", count: 9))
            }
        }
    }

    @Test("substrings and texts that are not stored as UTF-8")
    func foreignTexts() throws {
        try expectSameSize(String("héllo \"wörld\"".dropFirst(2)))
        let foreign = NSString(string: "héllo \"wörld\" \u{1} " + String(repeating: "ü", count: 100))
        try expectSameSize(String(foreign))
    }

    @Test("bytes are a list of numbers")
    func bytes() throws {
        try expectSameSize([UInt8]())
        try expectSameSize(Array(UInt8.min...UInt8.max))
        for count in 0..<40 {
            try expectSameSize((0..<count).map { _ in UInt8.random(in: 0...255) })
        }
        for byte in [UInt8(0), 9, 10, 99, 100, 127, 128, 199, 200, 255] {
            try expectSameSize([UInt8](repeating: byte, count: 19))
        }
        try expectSameSize(["bytes": Array(UInt8.min...UInt8.max)])
        try expectSameSize([[UInt8(1), 2], [], [255]])
    }

    @Test("Data is measured as a list of numbers, not as the Base64 of a JSONEncoder")
    func data() throws {
        let bytes = Array(UInt8.min...UInt8.max)
        let size = try PayloadMeter.size(of: bytes, limit: .max)
        #expect(try PayloadMeter.size(of: Data(bytes), limit: .max) == size)
    }

    @Test("a date is measured as the number it encodes itself as")
    func date() throws {
        try expectSameSize(Date(timeIntervalSinceReferenceDate: 123.5))
    }

    @Test("nothing, booleans and optionals")
    func optionals() throws {
        try expectSameSize([true, false])
        try expectSameSize([Int?.none, 1])
        try expectSameSize(Optional<String>.none)
        try expectSameSize(Optionals())
        try expectSameSize(Optionals(text: "a", number: 1, flag: true, nested: ["x": nil]))
    }

    private struct Optionals: Encodable {
        var text: String?
        var number: Int?
        var flag: Bool?
        var nested: [String: Int?]?
    }

    @Test("collections and dictionaries")
    func collections() throws {
        try expectSameSize([Int]())
        try expectSameSize([String: Int]())
        try expectSameSize([[[Int]]]())
        try expectSameSize([[1, 2], [], [3]])
        try expectSameSize(["a": 1, "b\"": 2, "": 3])
        try expectSameSize([1: "a", 22: "b", -3: "c"])
        try expectSameSize([Pair(key: "a"): 1])
        try expectSameSize(Set([1, 22, 333]))
        try expectSameSize((0..<1000).map { ["key \($0)": [$0]] })
    }

    private struct Pair: Encodable, Hashable {
        let key: String
    }

    @Test("enums with and without values")
    func enums() throws {
        try expectSameSize([Shape.circle(radius: 2), .square, .named("x", size: 3)])
        try expectSameSize([Color.red, .green])
        try expectSameSize([Color.red: Color.green])
    }

    private enum Shape: Encodable {
        case circle(radius: Double)
        case square
        case named(String, size: Int)
    }

    private enum Color: String, Encodable, Hashable {
        case red, green
    }
}
