import ProcessTesting
import Testing

@Suite("The quick start is what is compiled and run", .timeLimit(.minutes(5)))
struct QuickStartTests {
    @Test func theReadmeShowsTheSnippet() throws {
        let blocks = CodeBlock.blocks(in: try Repository.text("README.md"))
        let first = try #require(blocks.first)
        #expect(first.language == "swift")
        #expect(first.code == (try Repository.text("Snippets/QuickStart.swift")))
        #expect(first.code.split(separator: "\n", omittingEmptySubsequences: false).dropLast().count <= 25)
    }

    @Test func itPrintsWhatTheReadmeSays() async throws {
        let blocks = CodeBlock.blocks(in: try Repository.text("README.md"))
        let shown = try #require(blocks.first { $0.language == "text" })
        let outcome = try await runProgram(at: builtProgram("QuickStart"))
        #expect(outcome.exitCode == 0)
        #expect(outcome.lines.map { $0 + "\n" }.joined() == shown.code)
    }
}
