import ProcessTesting
import Testing

/// What admins get, read, and do not read.
@Suite("Notifications", .timeLimit(.minutes(2)))
struct NotificationTests {
    /// Users come, and go at once.
    private func users(_ numbers: ClosedRange<Int>) -> [String] {
        numbers.flatMap { number in
            [
                #"{"command":"AddUser","id":"user-\#(number)","name":"User","email":"user\#(number)@example.org"}"#,
                #"{"command":"RemoveUser","user":"user-\#(number)"}"#,
            ]
        }
    }

    @Test("Within a day: read at once, read together at the end, or unread")
    func day() async throws {
        let outcome = try await withTemporaryFile(users(1...4)) { try await UserService.run([$0]) }
        // 4 users come and go: 8 events for three subscriptions, and 4 for each of three admins.
        #expect(outcome.summary.hasPrefix("emitted=8 delivered=36 dead-lettered=0 lost=0 "))
        #expect(outcome.count("  admin-notifications/admin-1: UserRemoved ") == 4)
        #expect(outcome.count("  admin-notifications/admin-1: has read 1, 0 unread") == 4)
        #expect(outcome.count("  admin-notifications/admin-2: has read ") == 1)
        #expect(outcome.lines.contains("  admin-notifications/admin-2: has read 4, 0 unread"))
        #expect(outcome.lines.contains("  admin-notifications/admin-3: 4 unread"))
        #expect(outcome.lines.contains("  admin-1: 4 read, 0 unread, 0 given up; 0 reminders"))
        #expect(outcome.lines.contains("  admin-2: 4 read, 0 unread, 0 given up; 0 reminders"))
        #expect(outcome.lines.contains("  admin-3: 0 read, 4 unread, 0 given up; 0 reminders"))
        #expect(outcome.exitCode == 0)
    }

    @Test("What is unread for too long comes again, and is then given up", arguments: ["memory", "sqlite"])
    func timeout(_ storage: String) async throws {
        try await withTemporaryFolder { folder in
            let options = ["--storage", storage, "--data-dir", folder, "--unread-timeout", "1"]
            let outcome = try await withTemporaryFile(users(1...3)) { try await UserService.run(options + [$0]) }
            // 3 users come and go: 6 events for three subscriptions, and 3 for each of three admins.
            #expect(outcome.summary.hasPrefix("emitted=6 delivered=27 dead-lettered=0 lost=0 "))
            #expect(outcome.lines.contains("  admin-1: 3 read, 0 unread, 0 given up; 0 reminders"))
            #expect(outcome.count("  admin-2: 3 read, 0 unread, 0 given up; ") == 1)
            #expect(outcome.lines.contains("  admin-3: 0 read, 0 unread, 3 given up; 3 reminders"))
            #expect(outcome.count("  admin-notifications/admin-3: UserRemoved ") == 2 * 3)
            #expect(outcome.exitCode == 0)
            guard storage == "sqlite" else { return }

            // Given up is given up, also for the next run; who is late learns of what is new.
            let second = try await withTemporaryFile(users(4...4)) { try await UserService.run(options + [$0]) }
            #expect(second.lines.contains("  admin-1: 1 read, 0 unread, 0 given up; 0 reminders"))
            #expect(second.lines.contains("  admin-3: 0 read, 0 unread, 1 given up; 1 reminders"))
            #expect(second.count("  admin-notifications/admin-3: UserRemoved ") == 2)
        }
    }
}
