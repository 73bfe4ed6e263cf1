import EventStreamingStoreKit
import Testing

@Suite("Headers as text")
struct HeaderTextTests {
    @Test(
        "Every text survives",
        arguments: [
            "", " ", "\0", "a\0b", "\u{1}\u{1F}\u{7F}", "\n\r\t\u{8}\u{C}", "\"\\/", "\\u0041", "é", "e\u{301}", "😀👨‍👩‍👧",
            "\u{FEFF}x", "\u{202E}abc", "{\"a\":1}", String(repeating: "x", count: 5_000),
        ]
    )
    func roundTrip(_ text: String) throws {
        var original = ["name": text, "": ""]
        original[text] = "value"
        let encoded = try #require(HeaderText.text(of: original))
        #expect(encoded.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
        let headers = try #require(HeaderText.headers(of: encoded.utf8))
        #expect(headers["name"].map { Array($0.utf8) } == Array(text.utf8))
        #expect(headers.keys.contains { Array($0.utf8) == Array(text.utf8) })
        #expect(headers.count == (text.isEmpty ? 2 : 3))
    }

    @Test("The text is JSON, in order of the names, and nothing for no headers")
    func form() {
        #expect(HeaderText.text(of: [:]) == nil)
        #expect(HeaderText.text(of: ["b": "2\n", "a": "\"1\""]) == #"{"a":"\"1\"","b":"2\u000a"}"#)
    }

    @Test("Other writers' JSON is read")
    func foreign() {
        let text = #" { "a" : "\/\b\f\n\r\t\u00e9\ud83d\ude00" , "b":"" } "#
        #expect(HeaderText.headers(of: text.utf8) == ["a": "/\u{8}\u{C}\n\r\té😀", "b": ""])
        #expect(HeaderText.headers(of: "{}".utf8) == [:])
    }

    @Test(
        "Anything else is refused, and never traps",
        arguments: [
            "", "{", "}", "[]", "null", "{\"a\"}", "{\"a\":1}", "{\"a\":\"b\"", "{\"a\":\"b\"}x", "{\"a\":\"b\",}",
            "{\"a\":\"\\", "{\"a\":\"\\x\"}", "{\"a\":\"\\u00\"}", "{\"a\":\"\\ud83d\"}", "{\"a\":\"\\ud83d\\u0041\"}",
            "{\"a\":\"\\udc00\"}", "{\"a\":\"\\u00g0\"}",
        ]
    )
    func refused(_ text: String) {
        #expect(HeaderText.headers(of: text.utf8) == nil)
    }

    @Test("Bytes that are no text are refused")
    func invalidBytes() {
        #expect(HeaderText.headers(of: Array("{\"a\":\"".utf8) + [0xFF, 0x22, 0x7D]) == nil)
    }
}
