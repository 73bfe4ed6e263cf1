import EventStreaming
import Foundation
import Testing

private struct Everything: Event, Hashable {
    typealias Process = OrderWorkflow

    struct Line: Codable, Hashable, Sendable {
        var article: String
        var quantities: [Int?]
    }

    enum State: String, Codable, Sendable {
        case open, paid
    }

    enum Payment: Codable, Hashable, Sendable {
        case cash
        case card(number: String, until: Date)
    }

    var text = ""
    var count = 0
    var large = Int64.max
    var unsigned = UInt64.max
    var weight = 0.1
    var isGift = false
    var missing: String?
    var date = Date(timeIntervalSince1970: 0)
    var link = URL(filePath: "/a/b c")
    var key = UUID(uuidString: "0199F0C8-6F3A-7C1E-8A55-3B1D6B0F9E21")
    var bytes = Data([0, 1, 255])
    var state = State.open
    var payment = Payment.cash
    var lines: [Line] = []
    var byName: [String: Line] = [:]
    var workflow = WorkflowID(MessageID(high: 1, low: 2))
}

private struct OrderDated: Event {
    typealias Process = OrderWorkflow
    var date: Date
}

@Suite("The JSON codec", .timeLimit(.minutes(5)))
struct JSONEventCodecTests {
    private let codec = JSONEventCodec()

    private func text<E: Event>(_ event: E) throws -> String {
        try #require(String(validating: codec.encode(event), as: UTF8.self))
    }

    @Test func valuesOfEveryKindComeBack() throws {
        let line = Everything.Line(article: "Grüße „🙂“ \u{0}\u{1F}\\\"/", quantities: [1, nil, .min, .max])
        let event = Everything(
            text: "e\u{301} \u{2028} \u{FEFF} 👩‍👩‍👧‍👦 \r\n\t",
            count: .min,
            weight: .leastNonzeroMagnitude,
            isGift: true,
            missing: "there",
            date: Date(timeIntervalSince1970: 1_767_225_600),
            state: .paid,
            payment: .card(number: "4711", until: Date(timeIntervalSince1970: 4_102_444_800)),
            lines: [line, line],
            byName: ["": line, "ä/ö": line, "z": line]
        )
        let back = try codec.decode(Everything.self, from: codec.encode(event))
        #expect(back == event)
        #expect(back.text.unicodeScalars.elementsEqual(event.text.unicodeScalars), "Not normalised.")
        #expect(try codec.decode(Everything.self, from: codec.encode(Everything())) == Everything())
    }

    @Test(
        arguments: [
            0, 1, -1, 1_767_225_600, -2_208_988_800, 253_402_300_799, 951_782_400, -62_135_596_800, 0.5, -0.5, -1.25,
            1_767_225_600.123, 1_767_225_600.000_001, 1_767_225_599.999_999_9, 253_402_300_799.5, -62_135_596_799.75,
        ] as [Double])
    func datesAreISO8601InUTCAndComeBack(_ seconds: Double) throws {
        let event = Everything(date: Date(timeIntervalSince1970: seconds))
        #expect(try codec.decode(Everything.self, from: codec.encode(event)).date == event.date)
    }

    @Test func aDateIsWrittenAsPeopleReadIt() throws {
        let event = Everything(date: Date(timeIntervalSince1970: 1_767_225_600))
        #expect(try text(event).contains(#""date":"2026-01-01T00:00:00Z""#))
        let later = Everything(date: Date(timeIntervalSince1970: 1_767_225_600.0625))
        #expect(try text(later).contains(#""date":"2026-01-01T00:00:00.0625Z""#))
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:01Z", 1), ("1970-01-01T00:00:01.5Z", 1.5),
            ("1970-01-01T01:00:01.250000000000Z", 3601.25),
            ("1970-01-01T00:00:00.000000001Z", 1e-9),
        ] as [(String, Double)])
    func datesWithAnyFractionAreRead(_ text: String, _ seconds: Double) throws {
        let date = try codec.decode(OrderDated.self, from: Array(#"{"date":"\#(text)"}"#.utf8)).date
        #expect(abs(date.timeIntervalSince1970 - seconds) < 2e-7)
    }

    @Test(arguments: [
        "", "yesterday", "1970-01-01", "1970-01-01T00:00:01.Z", "1970-01-01T00:00:01.xZ", "1970-01-01T00:00:01.5",
        "1970-13-01T00:00:00Z", ".5", ".", "1970-01-01T00:00:01.5.5Z", "1970-01-01T00:00:01.٣Z",
    ])
    func whatIsNoDateIsRefused(_ text: String) async {
        await Workbench.refusal(.decodingFailed, saying: "OrderDated") {
            try codec.decode(OrderDated.self, from: Array(#"{"date":"\#(text)"}"#.utf8))
        }
    }

    @Test(arguments: [-62_135_596_800.5, 253_402_300_800, 1e300, -.infinity, .nan] as [Double])
    func datesThatFourDigitsOfAYearCannotTellAreRefused(_ seconds: Double) async {
        await Workbench.refusal(.encodingFailed, saying: "OrderDated") {
            try codec.encode(OrderDated(date: Date(timeIntervalSince1970: seconds)))
        }
    }

    @Test func keysAreInOrderAndSlashesAreNotEscaped() throws {
        #expect(try text(OrderPlaced(number: 7, note: "a/b")) == #"{"note":"a/b","number":7}"#)
    }

    @Test func theSameEventGivesTheSameBytes() throws {
        let line = Everything.Line(article: "x", quantities: [1])
        let names = (0..<100).map { "name \($0)" }
        let first = Everything(byName: Dictionary(uniqueKeysWithValues: names.map { ($0, line) }))
        var second = Everything()
        for name in names.shuffled() {
            second.byName[name] = line
        }
        let bytes = try codec.encode(first)
        for _ in 0..<20 {
            #expect(try codec.encode(second) == bytes)
            #expect(try JSONEventCodec().encode(first) == bytes)
        }
    }

    @Test func whatCannotBeEncodedIsReportedWithItsCause() async {
        let error = await Workbench.refusal(.encodingFailed, saying: "StubbornEvent", "encode(to:)") {
            try codec.encode(StubbornEvent())
        }
        #expect(error?.underlying as? Failure == Failure(reason: "stubborn"))
        for number in [Double.nan, .infinity, -.infinity] {
            let error = await Workbench.refusal(.encodingFailed, saying: "OrderWeighed") {
                try codec.encode(OrderWeighed(kilograms: number))
            }
            #expect(error?.underlying is EncodingError)
        }
    }

    @Test(arguments: [
        "", " ", "{", "null", "[]", "7", "{}", #"{"number":"seven","note":""}"#, #"{"number":1}"#, "\u{FEFF}",
        #"{"number":1e400,"note":""}"#, #"{"number":1.5,"note":""}"#, #"{"number":99999999999999999999,"note":""}"#,
        #"{"number":1,"note":"\ud800"}"#, #"{"number":1,"note":""}}"#,
    ])
    func textThatIsNotTheEventIsRefused(_ text: String) async {
        let error = await Workbench.refusal(.decodingFailed, saying: "OrderPlaced", "version") {
            try codec.decode(OrderPlaced.self, from: Array(text.utf8))
        }
        #expect(error?.underlying != nil)
    }

    @Test(arguments: [[0xFF, 0xFE], [0], Array("{\"number\":1,\"note\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)])
    func bytesThatAreNoTextAreRefused(_ bytes: [UInt8]) async {
        await Workbench.refusal(.decodingFailed, saying: "OrderPlaced") {
            try codec.decode(OrderPlaced.self, from: bytes)
        }
    }

    @Test func unknownKeysAreIgnoredSoThatOlderServicesCanRead() throws {
        let bytes = Array(#"{"future":{"a":[1]},"note":"n","number":1}"#.utf8)
        #expect(try codec.decode(OrderPlaced.self, from: bytes) == OrderPlaced(number: 1, note: "n"))
    }

    @Test func textNestedWithoutEndIsRefused() async {
        let text = String(repeating: "[", count: 1_000_000)
        await Workbench.refusal(.decodingFailed) { try codec.decode(OrderPlaced.self, from: Array(text.utf8)) }
    }
}
