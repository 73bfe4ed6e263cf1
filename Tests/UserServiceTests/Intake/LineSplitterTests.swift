import Testing

@testable import UserService

@Suite("Line splitter")
struct LineSplitterTests {
    /// The lines of `text` when it comes in chunks of `size` bytes.
    private func lines(_ text: String, chunksOf size: Int, limit: Int = 100) -> [LineSplitter.Line] {
        var splitter = LineSplitter(limit: limit)
        var rest = Array(text.utf8)[...]
        var lines: [LineSplitter.Line] = []
        while !rest.isEmpty {
            lines += splitter.split(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        if let last = splitter.finish() {
            lines.append(last)
        }
        return lines
    }

    private func text(_ text: String) -> LineSplitter.Line { .text(Array(text.utf8)) }

    @Test("Chunks may end anywhere", arguments: [1, 2, 3, 7, 1000])
    func chunks(_ size: Int) {
        #expect(lines("one\ntwo\r\n\nthrée\n", chunksOf: size) == [text("one"), text("two"), text(""), text("thrée")])
    }

    @Test("The last line needs no end", arguments: [1, 1000])
    func lastLine(_ size: Int) {
        #expect(lines("one\ntwo", chunksOf: size) == [text("one"), text("two")])
    }

    @Test("Nothing has no lines")
    func nothing() {
        #expect(lines("", chunksOf: 10) == [])
    }

    @Test("A line beyond the limit is counted, and the next one is read", arguments: [1, 2, 3, 7, 1000])
    func tooLong(_ size: Int) {
        let long = String(repeating: "x", count: 11)
        #expect(
            lines("0123456789\n\(long)\nnext\n\(long)", chunksOf: size, limit: 10)
                == [text("0123456789"), .tooLong(bytes: 11), text("next"), .tooLong(bytes: 11)]
        )
    }
}
