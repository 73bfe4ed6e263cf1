import EventStreaming
import Testing

@Suite("Headers", .timeLimit(.minutes(5)))
struct HeaderTests {
    private let streaming: EventStreaming

    init() throws {
        streaming = try Workbench.service()
    }

    private func emit(_ headers: [String: String], on streaming: EventStreaming? = nil) async throws {
        try await (streaming ?? self.streaming).emitter.emit(OrderPlaced(number: 1), headers: headers)
    }

    @Test(arguments: [
        ["tenant": "nord"], ["X-Request_ID.v2": ""], ["!#$%&'*+-.^`|~{}[]()<>@,;\"/?=\\": "x"],
        ["text": "Zoë 🙂 – \u{2028}"], ["colon": "a: b"],
    ])
    func goodHeadersAreKeptAsTheyAre(_ headers: [String: String]) async throws {
        try await emit(headers)
        #expect(try await streaming.read(Workbench.orders).first?.headers == headers)
    }

    @Test(arguments: ["", " ", "a b", "a:b", "tab\t", "line\nbreak", "nul\0", "ä", "🙂", "\u{7F}", "a\u{301}"])
    func badNamesAreRefused(_ name: String) async throws {
        await Workbench.refusal(.invalidArgument, saying: "header name", "printable ASCII") {
            try await emit([name: "value"])
        }
        await Workbench.refusal(.invalidArgument) {
            try await streaming.emitter.emit([OrderPlaced(number: 1)], headers: [name: "value"])
        }
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: ["\0", "line\nbreak", "\r", "\u{1B}[31m", "\u{7F}", "tab\t"])
    func controlCharactersInValuesAreRefused(_ value: String) async throws {
        await Workbench.refusal(.invalidArgument, saying: "'name'", "control character") {
            try await emit(["name": value])
        }
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        try await Workbench.expectWorking(streaming)
    }

    @Test func theMessageShowsABadNameShortenedAndEscaped() async throws {
        let error = await Workbench.refusal(.invalidArgument) {
            try await emit(["\u{1B}[31m" + String(repeating: "x", count: 1000) + " ": "secret-value"])
        }
        let message = try #require(error?.message)
        #expect(message.count < 300 && !message.contains("\u{1B}") && !message.contains("secret-value"))
    }

    @Test func theNumberOfHeadersIsLimited() async throws {
        let headers = Dictionary(uniqueKeysWithValues: (0..<64).map { ("h\($0)", "x") })
        try await emit(headers)
        await Workbench.refusal(.headersTooLarge, saying: "65 headers", "64") {
            try await emit(headers.merging(["h64": "x"]) { $1 })
        }
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(1))
        try await Workbench.expectWorking(streaming)
    }

    @Test func theBytesOfHeadersAreLimitedNamesIncluded() async throws {
        try await emit(["name": String(repeating: "x", count: 8188)])
        try await emit(["name": String(repeating: "ä", count: 4094)])
        await Workbench.refusal(.headersTooLarge, saying: "8193 bytes", "8192") {
            try await emit(["name": String(repeating: "x", count: 8189)])
        }
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(2))
        try await Workbench.expectWorking(streaming)
    }

    @Test func limitsCanBeChanged() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.options.limits.maximumHeaders = 1
            streaming.options.limits.maximumHeaderBytes = 4
        }
        try await emit(["a": "123"], on: streaming)
        await Workbench.refusal(.headersTooLarge) { try await emit(["a": "1", "b": "2"], on: streaming) }
        await Workbench.refusal(.headersTooLarge) { try await emit(["a": "1234"], on: streaming) }
        try await Workbench.expectWorking(streaming)
    }

    @Test func noHeadersMayBeAllowed() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.options.limits.maximumHeaders = 0
            streaming.options.limits.maximumHeaderBytes = 0
        }
        await Workbench.refusal(.headersTooLarge) { try await emit(["a": ""], on: streaming) }
        try await Workbench.expectWorking(streaming)
    }
}
