import Foundation

/// Cuts chunks of bytes into lines, and never keeps more than one line within the limit.
///
/// A line that is too long is counted, not kept: it comes out as ``Line/tooLong(bytes:)`` and the next one is read as if
/// nothing had been.
struct LineSplitter {
    /// A line, without its end.
    enum Line: Equatable {
        case text([UInt8])
        case tooLong(bytes: Int)
    }

    /// The most bytes a line may have.
    let limit: Int
    private var pending: [UInt8] = []
    private var discarded = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes in a chunk and returns the lines that end in it.
    mutating func split(_ chunk: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var start = 0
        while let end = Self.newline(in: chunk, from: start) {
            append(chunk[start..<end])
            lines.append(takeLine())
            start = end + 1
        }
        append(chunk[start...])
        return lines
    }

    /// The last line, if it has no line end.
    mutating func finish() -> Line? {
        pending.isEmpty && discarded == 0 ? nil : takeLine()
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        guard discarded == 0, pending.count + bytes.count <= limit else {
            discarded += pending.count + bytes.count
            pending = []
            return
        }
        pending += bytes
    }

    private mutating func takeLine() -> Line {
        defer {
            pending = []
            discarded = 0
        }
        guard discarded == 0 else { return .tooLong(bytes: discarded) }
        if pending.last == UInt8(ascii: "\r") {
            pending.removeLast()
        }
        return .text(pending)
    }

    private static func newline(in chunk: [UInt8], from start: Int) -> Int? {
        chunk.withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress else { return nil }
            let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
            return found.map { UnsafeRawPointer($0) - base }
        }
    }
}
