import ProcessTesting

/// The built program, with what its tests ask of a run.
enum UserService {
    /// Runs the program for as long as `body` takes.
    static func with<Result>(_ arguments: [String], _ body: (Program) async throws -> Result) async throws -> Result {
        try await withProgram(at: builtProgram("UserService"), inMemory(arguments), body)
    }

    /// Runs the program to its end, with nothing on standard input.
    static func run(_ arguments: [String]) async throws -> ProgramOutcome {
        try await runProgram(at: builtProgram("UserService"), inMemory(arguments))
    }

    /// In memory, where nothing else is asked for: runs must not find what others have left.
    private static func inMemory(_ arguments: [String]) -> [String] {
        arguments.contains("--storage") || arguments.contains("--data-dir")
            ? arguments : ["--storage", "memory"] + arguments
    }
}

extension ProgramOutcome {
    /// The last line, with the sums.
    var summary: String { lines.last ?? "" }

    /// How often lines contain `text`.
    func count(_ text: String) -> Int { lines.count { $0.contains(text) } }
}
