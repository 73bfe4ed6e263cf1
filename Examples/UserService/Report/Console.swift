import Foundation
import Synchronization

/// Writes to standard output, one line at a time, whoever writes: as text for people, or as JSON Lines for programs.
///
/// A write blocks while whoever reads the output does not. That slows everything down, as it should.
final class Console: Sendable {
    enum Format {
        case text
        case json
    }

    private let format: Format
    private let output: Mutex<FileHandle>

    init(format: Format, output: FileHandle = .standardOutput) {
        self.format = format
        self.output = Mutex(output)
    }

    func write(_ entry: some ConsoleEntry) {
        guard let text = text(of: entry) else { return }
        write(line: text)
    }

    /// What helps people to read what follows; programs do not get it.
    func write(heading: String) {
        if format == .text {
            write(line: heading)
        }
    }

    private func write(line: String) {
        output.withLock { try? $0.write(contentsOf: Data((line + "\n").utf8)) }
    }

    private func text(of entry: some ConsoleEntry) -> String? {
        switch format {
        case .text: return entry.text
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return (try? encoder.encode(entry)).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

/// Something to tell: a line of text, and an object with the same content.
protocol ConsoleEntry: Encodable, Sendable {
    var text: String { get }
}
