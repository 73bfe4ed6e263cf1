import Testing

@testable import UserService

@Suite("Command line")
struct CommandLineOptionsTests {
    @Test("A path is all that is needed")
    func path() throws {
        let options = try CommandLineOptions(["commands.jsonl"])
        #expect(options.input == "commands.jsonl")
        #expect(!options.isJSON)
        #expect(options.maximumPayloadBytes == 1_000_000)
        #expect(options.maximumLineBytes == 20_000_000)
        #expect(options.timeout == .seconds(30))
        #expect(options.members == 3 && options.member == nil)
        #expect(options.lease == .seconds(30))
        #expect(options.unreadTimeout == .seconds(86_400))
    }

    @Test("Options may come before and after the input")
    func options() throws {
        let options = try CommandLineOptions([
            "--json", "--max-payload", "10", "-", "--max-line", "20", "--timeout", "5", "--unread-timeout", "6",
        ])
        #expect(options.input == "-")
        #expect(options.isJSON)
        #expect(options.maximumPayloadBytes == 10)
        #expect(options.maximumLineBytes == 20)
        #expect(options.timeout == .seconds(5))
        #expect(options.unreadTimeout == .seconds(6))
    }

    @Test("A member needs no input, and a server")
    func member() throws {
        let options = try CommandLineOptions(["--storage", "postgresql", "--member", "analytics-7", "--lease", "2"])
        #expect(options.member == "analytics-7")
        #expect(options.input == nil)
        #expect(options.lease == .seconds(2))
        #expect(try CommandLineOptions(["--storage", "postgresql", "--member", "a", "-"]).input == "-")
        #expect(try CommandLineOptions(["--members", "0", "a"]).members == 0)
    }

    @Test("After two hyphens everything is a path")
    func endOfOptions() throws {
        #expect(try CommandLineOptions(["--", "--json"]).input == "--json")
    }

    @Test("Help needs no input", arguments: ["--help", "-h"])
    func help(_ option: String) throws {
        #expect(try CommandLineOptions([option]).showsHelp)
    }

    @Test(
        "What cannot be understood is refused",
        arguments: [
            [], [""], ["--json"], ["a", "b"], ["--nonsense", "a"], ["-x", "a"], ["--max-line"],
            ["--max-line", "0", "a"],
            ["--max-line", "x", "a"], ["--max-payload", "-1", "a"], ["--timeout", "99999999999999999999", "a"],
            ["--members", "-1", "a"], ["--members", "33", "a"], ["--lease", "0", "a"], ["--unread-timeout", "0", "a"],
            ["--member"],
            ["--member", "analytics-1"], ["--storage", "sqlite", "--member", "analytics-1"],
            ["--storage", "postgresql", "--member", "analytics-1", "commands.jsonl"],
            ["--storage", "postgresql", "--member", "a b"], ["--storage", "postgresql", "--member", ""],
            ["--storage", "postgresql", "--member", String(repeating: "n", count: 200)],
        ]
    )
    func refused(_ arguments: [String]) {
        #expect(throws: CommandLineOptions.UsageError.self) { try CommandLineOptions(arguments) }
    }
}
