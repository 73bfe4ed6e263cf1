import Foundation
import ProcessTesting
import Testing

@Suite("What the compiler keeps from happening", .timeLimit(.minutes(5)))
struct CompileTimeTests {
    @Test(.enabled("swiftc is not in the PATH, so nothing can be compiled", { Compiler.path != nil }))
    func anEventOfAnotherWorkflowDoesNotCompile() async throws {
        let good = try await Compiler.check(fixture(emitting: "OrderPlaced"))
        #expect(good.succeeded, "\(good.output)")

        let bad = try await Compiler.check(fixture(emitting: "NoteTaken"))
        #expect(!bad.succeeded)
        // The requirement `E.Process == Process`, with both processes by name.
        #expect(bad.output.contains("emit"), "\(bad.output)")
        #expect(bad.output.contains("OrderWorkflow") && bad.output.contains("NoteWorkflow"), "\(bad.output)")
        #expect(bad.output.contains("be equivalent"), "\(bad.output)")
        #expect(bad.output.ranges(of: /Fixture\.swift:\d+:\d+: error:/).count == 1, "One error only: \(bad.output)")
    }

    private func fixture(emitting event: String) -> String {
        """
        import EventStreaming

        enum OrderWorkflow: Workflow {}
        enum NoteWorkflow: Workflow {}
        struct OrderPlaced: Event { typealias Process = OrderWorkflow }
        struct NoteTaken: Event { typealias Process = NoteWorkflow }
        struct PlaceOrder: Command {}

        struct PlaceOrderHandler: WorkflowCommandHandler {
            func handle(_ command: PlaceOrder, in workflow: inout WorkflowContext<OrderWorkflow>) async throws {
                workflow.emit(\(event)())
            }
        }
        """
    }
}

/// The Swift compiler of the machine, and the modules that this test was built with.
private enum Compiler {
    static let path: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/swiftc" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Checks the types of a source text against the built library.
    static func check(_ source: String) async throws -> (succeeded: Bool, output: String) {
        let compiler = try #require(path)
        let modules = try #require(findModules(), "The modules of the build are not near \(CommandLine.arguments).")
        let folder = FileManager.default.temporaryDirectory.appending(path: "compile-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "Fixture.swift")
        try Data(source.utf8).write(to: file)

        let outcome = try await runProgram(
            at: compiler,
            ["-typecheck", "-swift-version", "6", "-I", modules, file.path]
        )
        return (outcome.exitCode == 0, (outcome.lines + outcome.errors).joined(separator: "\n"))
    }

    /// The folder with the library's module: `Modules`, in the folder of the test's executable or above it.
    private static func findModules() -> String? {
        for argument in CommandLine.arguments where argument.contains("/") {
            var folder = URL(filePath: argument).standardizedFileURL
            while folder.pathComponents.count > 1 {
                folder.deleteLastPathComponent()
                let modules = folder.appending(path: "Modules")
                if FileManager.default.fileExists(atPath: modules.appending(path: "EventStreaming.swiftmodule").path) {
                    return modules.path
                }
            }
        }
        return nil
    }
}
