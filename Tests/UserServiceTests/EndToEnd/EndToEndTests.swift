import Foundation
import ProcessTesting
import Testing

@Suite("Program", .timeLimit(.minutes(2)))
struct EndToEndTests {
    /// The input that comes with the example.
    private static let committedInput = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Examples/UserService/Input/commands.jsonl").path

    private static let nothing = "emitted=0 delivered=0 dead-lettered=0 lost=0 uncharged=0 charged-twice=0"

    /// The last line, where every event was charged.
    private func summary(_ emitted: Int, _ delivered: Int, deadLettered: Int = 0) -> String {
        "emitted=\(emitted) delivered=\(delivered) dead-lettered=\(deadLettered) lost=0 uncharged=0 charged-twice=0"
    }

    private func user(_ number: Int) -> String {
        #"{"command":"AddUser","id":"user-\#(number)","name":"User \#(number)","email":"user\#(number)@example.org"}"#
    }

    @Test("The committed input: every number is as it must be")
    func committedInput() async throws {
        let outcome = try await UserService.run([Self.committedInput])
        // 120 events of users go to analytics, bill and audit, 12 of them to three admins, 163 of invitations to analytics
        // and mail; 4 mails bounce.
        #expect(outcome.summary == summary(120 + 163, 3 * 120 + 3 * 12 + 163 + 159, deadLettered: 4))
        #expect(outcome.exitCode == 0)
        #expect(outcome.errors == [])
        #expect(outcome.count(": accepted ") == 283)
        #expect(outcome.count(": rejected ") == 48)
        #expect(outcome.count("  analytics/analytics-") == 120)
        #expect(outcome.count("  invitation-analytics/analytics: ") == 163)
        #expect(outcome.count("  user-audit/auditor: ") == 120)
        // 159 mails, by one of two mailers each, and four tries for each of four mails that bounced.
        #expect(outcome.count("  invitation-mail/mailer-") == 159 + 16)
        #expect(outcome.count("userService.mailBounced") == 16)
        // 32 partitions among three; 108 users came and 12 went.
        #expect(outcome.count(" events; 11 partitions: ") == 2 && outcome.count(" events; 10 partitions: ") == 1)
        #expect(outcome.lines.contains("analytics, shared out by user; out of order: 0"))
        #expect(outcome.lines.contains("seat-billing: 120 rows for 120 events, 96 seats to pay"))
        #expect(outcome.count("Seats are charged: once by lock and mark") == 1)
    }

    @Test("A second run continues the first, even one that was killed")
    func continues() async throws {
        try await withTemporaryFolder { folder in
            let arguments = ["--data-dir", folder, Self.committedInput]
            try await UserService.with(arguments) { program in
                let lines = try await program.lines(until: ": accepted ", count: 100)
                #expect(lines.contains("Nothing is there yet."))
                try program.kill()
            }
            let second = try await UserService.run(arguments)
            #expect(second.count("This continues an earlier run.") == 1)
            #expect(second.count("Events are kept in: SQLite file \(folder)/user-service.sqlite") == 1)
            #expect(second.count("Seats are charged: once, in the transaction that finishes the event") == 1)
            #expect(second.summary.hasSuffix("lost=0 uncharged=0 charged-twice=0"), "\(second.summary)")
            #expect(second.exitCode == 0)

            let third = try await UserService.run(arguments)
            for name in ["user-events", "analytics", "seat-billing"] {
                #expect(third.count("  \(name) goes on at offset 120") == 1)
            }
            #expect(third.count("userService.idTaken") > 0, "Who is a user is known from the history.")
            #expect(third.lines.contains("seat-billing: 120 rows for 120 events, 96 seats to pay"))
            // Of the 12 users who left in the first and the second run; there is a day to read that.
            #expect(third.count("  admin-notifications/admin-3: 12 unread") == 1)
            #expect(third.summary.hasSuffix("lost=0 uncharged=0 charged-twice=0"), "\(third.summary)")
        }
    }

    @Test("A storage that cannot be used is named")
    func unusableStorage() async throws {
        let outcome = try await UserService.run(["--data-dir", "/proc/nowhere", Self.committedInput])
        #expect(outcome.exitCode == 4 && outcome.errors.count == 1, "\(outcome)")
        let other = try await UserService.run(["--storage", "postgresql", Self.committedInput])
        #expect(other.exitCode == 4 && other.errors.joined().contains("DATABASE_URL"), "\(other)")
    }

    @Test("The committed input shows every kind of refusal")
    func refusals() async throws {
        let outcome = try await UserService.run([Self.committedInput])
        let codes = [
            "userService.invalidJSON", "userService.notAnObject", "userService.unknownCommand",
            "userService.missingField", "userService.invalidField", "cqrs.validation", "userService.idTaken",
            "userService.emailTaken", "userService.unknownUser", "userService.userRemoved",
            "userService.alreadyInvited", "userService.unknownInvitation", "userService.invitationFinished",
            "eventStreaming.encodingFailed",
        ]
        for code in codes {
            #expect(outcome.count(" \(code): ") > 0, "\(code)")
        }
    }

    @Test("JSON output: every line is an object, in order, and each event has one mailer")
    func json() async throws {
        struct Line: Decodable {
            var kind: String
            var subscription: String?
            var event: String?
            var workflow: String?
            var offset: Int?
            var member: String?
            var partitions: [Int]?
            var events: Int?
            var rows: Int?
            var emitted: Int?
            var lost: Int?
        }
        let outcome = try await UserService.run(["--json", Self.committedInput])
        let lines = try outcome.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.last?.kind == "summary")
        #expect(lines.last?.emitted == 283)
        #expect(lines.last?.lost == 0)
        #expect(
            Set(lines.map(\.kind)) == [
                "beginning", "accepted", "rejected", "delivered", "failed", "subscription", "member", "read", "admin",
                "charges",
                "summary",
            ])
        let delivered = Dictionary(grouping: lines.filter { $0.kind == "delivered" }, by: { $0.subscription ?? "" })
            .mapValues { $0.compactMap(\.offset) }
        #expect(delivered["analytics"]?.sorted() == Array(0..<120))
        let histories = Dictionary(grouping: lines.filter { $0.subscription == "analytics" && $0.kind == "delivered" })
        {
            $0.workflow ?? ""
        }
        #expect(histories.values.allSatisfy { $0.compactMap(\.offset) == $0.compactMap(\.offset).sorted() })
        #expect(histories.values.count { $0.map(\.event) == ["UserAdded", "UserRemoved"] } == 12)
        let members = lines.filter { $0.kind == "member" }
        #expect(members.map(\.member) == ["analytics-1", "analytics-2", "analytics-3"])
        #expect(members.flatMap { $0.partitions ?? [] }.sorted() == Array(0..<32))
        #expect(members.compactMap(\.events).reduce(0, +) == 120)
        #expect(lines.filter { $0.kind == "charges" }.map(\.rows) == [120])
        #expect(delivered["user-audit"] == Array(0..<120))
        #expect(delivered["invitation-analytics"] == Array(0..<163))
        let mails = delivered["invitation-mail"] ?? []
        #expect(mails.count == 159)
        #expect(Set(mails).count == 159)
        #expect(outcome.exitCode == 0)
    }

    @Test("Standard input")
    func standardInput() async throws {
        let outcome = try await UserService.with(["-"]) { program in
            try await program.write(user(1) + "\n")
            try await program.lines(until: "line 1: accepted AddUser (workflow user-1)")
            // The last line has no end.
            try await program.write(user(2))
            try await program.closeInput()
            return try await program.outcome()
        }
        #expect(outcome.summary == summary(2, 3 * 2))
        #expect(outcome.count("line 2: accepted") == 1)
        #expect(outcome.exitCode == 0)
        #expect(outcome.errors == [])
    }

    @Test("Nothing to read", arguments: [[], [""], ["", "# only a comment", "   "]])
    func empty(_ content: [String]) async throws {
        let outcome = try await withTemporaryFile(content) { try await UserService.run([$0]) }
        #expect(outcome.summary == Self.nothing)
        #expect(outcome.exitCode == 0)
        #expect(outcome.errors == [])
    }

    @Test("An input that cannot be read", arguments: ["/nowhere/commands.jsonl", "/"])
    func unreadable(_ path: String) async throws {
        let outcome = try await UserService.run([path])
        #expect(outcome.exitCode == 1)
        #expect(outcome.errors.first?.hasPrefix("UserService: cannot read '\(path)': ") == true)
    }

    @Test(
        "Wrong usage",
        arguments: [[], ["--nonsense", "x"], ["--max-line", "many", "x"], ["x", "y"], ["--member", "a"]])
    func usage(_ arguments: [String]) async throws {
        let outcome = try await UserService.run(arguments)
        #expect(outcome.exitCode == 2)
        #expect(outcome.lines == [])
        #expect(outcome.errors.contains { $0.contains("--help") })
    }

    @Test("Help")
    func help() async throws {
        let outcome = try await UserService.run(["--help"])
        #expect(outcome.exitCode == 0)
        #expect(outcome.lines.first == "Usage: UserService [options] <file | ->")
        #expect(outcome.errors == [])
    }

    @Test("An event of 10 MB and a line of 25 MB are refused, and leave nothing behind")
    func large() async throws {
        func line(_ id: String, about size: Int) -> String {
            let about = String(repeating: "x", count: size)
            return #"{"command":"AddUser","id":"\#(id)","name":"Ada","email":"ada@example.org","about":"\#(about)"}"#
        }
        let content = [
            line("user-1", about: 10_000_000), line("user-2", about: 25_000_000), line("user-1", about: 999_000),
            line("user-3", about: 10),
        ]
        let outcome = try await withTemporaryFile(content) { try await UserService.run([$0]) }
        #expect(outcome.count("line 1: rejected AddUser eventStreaming.payloadTooLarge: ") == 1)
        #expect(outcome.count("line 2: rejected userService.lineTooLong: ") == 1)
        #expect(outcome.count("line 3: accepted AddUser (workflow user-1)") == 1)
        #expect(outcome.count("line 4: rejected AddUser userService.emailTaken: ") == 1)
        #expect(outcome.summary == summary(1, 3))
        #expect(outcome.exitCode == 0)
    }

    @Test("The limit on events is an option")
    func payloadLimit() async throws {
        let outcome = try await withTemporaryFile([user(1)]) { try await UserService.run(["--max-payload", "20", $0]) }
        #expect(outcome.count("line 1: rejected AddUser eventStreaming.payloadTooLarge: ") == 1)
        #expect(outcome.summary == Self.nothing)
    }

    #if os(Linux)
    @Test("A line of 128 MB needs no memory")
    func memory() async throws {
        try await UserService.with(["--max-line", "1000000", "-"]) { program in
            let part = String(repeating: "x", count: 1_000_000)
            for _ in 0..<128 {
                try await program.write(part)
            }
            try await program.write("\n" + user(1) + "\n")
            let lines = try await program.lines(until: "line 2: accepted")
            let refusal = "line 1: rejected userService.lineTooLong: The line has 128000000 bytes"
            #expect(lines.contains { $0.hasPrefix(refusal) })
            let status = try String(contentsOfFile: "/proc/\(program.processID)/status", encoding: .utf8)
            let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            let kilobytes = try #require(peak?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
            #expect(kilobytes < 80_000)
            try await program.closeInput()
            #expect(try await program.outcome().summary == summary(1, 3))
        }
    }
    #endif

    @Test("Hostile lines end nothing, and send nothing to the terminal")
    func hostile() async throws {
        let texts = [
            "", " ", "..", "\u{0}", "\u{1B}[2J", "🎉", "a\u{202E}b", String(repeating: "n", count: 300), "a/../b",
        ]
        let lines = try texts.flatMap { text in
            let quoted = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
            return [
                #"{"command":\#(quoted)}"#,
                #"{"command":"AddUser","id":\#(quoted),"name":\#(quoted),"email":\#(quoted)}"#,
                #"{"command":"AcceptInvitation","invitation":\#(quoted),"name":"Ada"}"#,
                "x" + text,
            ]
        }
        let outcome = try await withTemporaryFile(lines + [user(1)]) { try await UserService.run([$0]) }
        #expect(outcome.count(": rejected ") == lines.count)
        #expect(outcome.summary == summary(1, 3))
        #expect(outcome.exitCode == 0)
        let scalars = outcome.lines.joined().unicodeScalars
        #expect(scalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && !$0.properties.isBidiControl })
    }

    @Test("A signal ends the input; what was emitted is delivered first", arguments: [SIGTERM, SIGINT])
    func signal(_ number: Int32) async throws {
        let outcome = try await UserService.with(["-"]) { program in
            try await program.write((1...50).map { user($0) + "\n" }.joined())
            try await program.write(
                #"{"command":"InviteUser","id":"inv-1","email":"bounce@example.org","invitedBy":"user-1"}"# + "\n"
            )
            try await program.lines(until: "line 51: accepted")
            // Standard input stays open: only the signal ends the program.
            try program.send(number)
            return try await program.outcome()
        }
        #expect(outcome.exitCode == 0)
        #expect(outcome.summary == summary(51, 3 * 50 + 1, deadLettered: 1))
        #expect(outcome.count("  user-audit/auditor: ") == 50)
        #expect(outcome.errors == [])
    }
}
