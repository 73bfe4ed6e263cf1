import Foundation

/// The lines of standard input.
enum InputLines {
    /// All of them, each once; ends with the input.
    static let all: AsyncStream<String> = {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        // Reading waits, so it has a thread of its own; it ends with the process.
        Thread.detachNewThread {
            while let line = readLine() {
                continuation.yield(line)
            }
            continuation.finish()
        }
        return lines
    }()
}
