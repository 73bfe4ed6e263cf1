import EventStreamingCore
import Testing

@Suite("EventStreamingError")
struct EventStreamingErrorTests {
    private struct Cause: Error, CustomStringConvertible {
        var description: String { "the disk is full" }
    }

    @Test("the description has the code, the message, all problems and the cause")
    func description() {
        let error = EventStreamingError(
            .invalidConfiguration,
            "The configuration has 2 problems.",
            problems: ["one", "two"],
            underlying: Cause()
        )
        #expect(
            error.description == """
                eventStreaming.invalidConfiguration: The configuration has 2 problems.
                  - one
                  - two (cause: the disk is full)
                """
        )
        #expect(error.problems == ["one", "two"])
        #expect(error.underlying is Cause)
        #expect(error.actualLength == nil)
    }

    @Test("codes are compared and shown by their stable text")
    func codes() {
        #expect(EventStreamingError.Code.streamFull.description == "eventStreaming.streamFull")
        #expect(EventStreamingError.Code.streamFull == .streamFull)
        #expect(EventStreamingError.Code.streamFull != .storeUnavailable)
    }

    @Test("only errors that may go away are retriable")
    func retriable() {
        let retriable: [EventStreamingError.Code] = [.streamFull, .storeUnavailable, .timedOut]
        let others: [EventStreamingError.Code] = [
            .invalidName, .unknownStream, .wrongExpectedVersion, .leaseExpired, .cancelled, .payloadTooLarge,
        ]
        #expect(retriable.allSatisfy { EventStreamingError($0, "").isRetriable })
        #expect(others.allSatisfy { !EventStreamingError($0, "").isRetriable })
    }

    @Test(
        "text from outside is quoted, escaped and shortened",
        arguments: [
            ("", #""""#), ("abc", #""abc""#), ("a\nb", #""a\nb""#), ("\"", #""\"""#), ("\0", #""\0""#),
            (String(repeating: "x", count: 60), "\"" + String(repeating: "x", count: 60) + "\""),
            (String(repeating: "x", count: 61), "\"" + String(repeating: "x", count: 60) + "\"…"),
        ]
    )
    func printable(text: String, expected: String) {
        #expect(EventStreamingError.printable(text) == expected)
    }

    @Test("a text of combining marks is shortened too")
    func printableCombiningMarks() {
        let text = "e" + String(repeating: "\u{301}", count: 100_000)
        #expect(EventStreamingError.printable(text).utf8.count < 2000)
    }

    @Test("control characters and escapes of terminals do not get through")
    func printableControlCharacters() {
        let controls = (0..<32).map { Character(Unicode.Scalar(UInt8($0))) } + ["\u{7F}", "\u{1B}"]
        let text = EventStreamingError.printable(String(controls))
        #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }

    @Test(
        "nor do those of the second block, what turns text around, and what is not seen",
        arguments: ["\u{85}\u{9B}31m", "a\u{202E}b", "\u{2028}\u{2029}", "\u{200B}\u{FEFF}", "\u{E000}"]
    )
    func printableInvisible(_ text: String) {
        let printable = EventStreamingError.printable(text)
        #expect(printable.unicodeScalars.allSatisfy { $0.isASCII })
        #expect(printable.contains("\\u{"))
    }

    @Test("what can be seen gets through as it is")
    func printableVisible() {
        #expect(EventStreamingError.printable("Zoë 🎉 \"q\"") == #""Zoë 🎉 \"q\"""#)
    }

    @Test("frequent errors say what to do")
    func frequentErrors() throws {
        #expect(EventStreamingError.unknownStream(try StreamName("a")).message.contains("addStream"))
        #expect(EventStreamingError.unknownSubscription(try SubscriptionID("a")).message.contains("addSubscription"))
    }
}
