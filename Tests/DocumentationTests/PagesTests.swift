import Foundation
import Testing

@Suite("Pages show code that compiles, and list what there is")
struct PagesTests {
    @Test func everySwiftBlockIsPartOfASnippet() throws {
        let snippets = try Repository.files(in: "Snippets", ending: ".swift").map { try Repository.text($0) }
        let pages =
            try ["README.md", "CONTRIBUTING.md"] + Repository.files(in: "docs", ending: ".md")
            + Repository.files(in: "Sources", ending: ".md")
        for page in pages {
            for block in CodeBlock.blocks(in: try Repository.text(page)) where block.language == "swift" {
                let isShown = block.isExempt || snippets.contains { block.stands(in: $0) }
                #expect(isShown, "\(page) shows code that no snippet compiles:\n\(block.code)")
            }
        }
    }

    @Test(arguments: [
        ("Sources/EventStreamingCore/Errors/EventStreamingError+Code.swift", "= Code("),
        ("Sources/CQRS/Errors/CQRSError.swift", "= Code("),
    ])
    func everyErrorCodeIsExplained(_ file: String, _ mark: String) throws {
        let page = try Repository.text("docs/errors.md")
        let codes = try Repository.text(file).split(separator: "\n")
            .filter { $0.contains("public static let") && $0.contains(mark) }
            .compactMap { $0.split(separator: "let ").last?.split(separator: " ").first }
        #expect(!codes.isEmpty)
        for code in codes {
            #expect(page.contains("| `\(code)` |"), "docs/errors.md does not explain \(code).")
        }
    }
}

@Suite("The tutorial ends with code that compiles")
struct TutorialTests {
    @Test func theLastStepIsTheSnippet() throws {
        let folder = "Sources/EventStreaming/Documentation.docc/Resources"
        let steps = try Repository.files(in: folder, ending: ".swift").map { try Repository.text($0) }
        let snippet = try Repository.text("Snippets/FirstWorkflow.swift")
        #expect(steps.count > 1)
        #expect(steps.last == snippet)
        for step in steps {
            #expect(snippet.hasPrefix(step.trimmingCharacters(in: .newlines)))
        }
    }
}
