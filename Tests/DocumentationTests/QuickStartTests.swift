import Foundation
import Testing

@Suite("The quick start is what is compiled and run", .timeLimit(.minutes(1)))
struct QuickStartTests {
    @Test func theReadmeShowsTheSnippet() throws {
        let blocks = CodeBlock.blocks(in: try Repository.text("README.md"))
        let first = try #require(blocks.first)
        #expect(first.language == "swift")
        #expect(first.code == (try Repository.text("Snippets/QuickStart.swift")))
        #expect(first.code.split(separator: "\n", omittingEmptySubsequences: false).dropLast().count <= 25)
    }

    @Test func itPrintsWhatTheReadmeSays() throws {
        let blocks = CodeBlock.blocks(in: try Repository.text("README.md"))
        let shown = try #require(blocks.first { $0.language == "text" })
        let process = Process()
        let output = Pipe()
        process.executableURL = Repository.executable("QuickStart")
        process.standardOutput = output
        try process.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(String(decoding: printed, as: UTF8.self) == shown.code)
    }
}
