import Foundation
import ProcessTesting
import Testing

@Suite("Every snippet runs and ends by itself", .timeLimit(.minutes(5)))
struct SnippetTests {
    @Test(arguments: try Repository.files(in: "Snippets", ending: ".swift"))
    func itRuns(_ path: String) async throws {
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        let outcome = try await runProgram(at: builtProgram(name))
        #expect(outcome.exitCode == 0, "\(outcome)")
    }
}

// The page of measurements comes with the benchmarks; until then the links to it lead nowhere.
@Suite("Links within the repository lead somewhere", .enabled(if: Repository.exists("docs/performance.md")))
struct LinkTests {
    @Test(arguments: try ["README.md", "CONTRIBUTING.md", "SECURITY.md"] + Repository.files(in: "docs", ending: ".md"))
    func filesExist(_ page: String) throws {
        let folder = Repository.root.appending(path: page).deletingLastPathComponent()
        for link in try Repository.text(page).matches(of: /\]\(([^)#\s]+)[^)]*\)/) where !link.1.contains(":") {
            let target = folder.appending(path: String(link.1)).standardizedFileURL
            let exists = FileManager.default.fileExists(atPath: target.path)
            #expect(exists, "\(page) links to \(link.1), which does not exist.")
        }
    }
}
