import EventStreamingSQLite
import GRDB
import ProcessTesting
import Testing

/// Whether the program finds out when seats are not charged once: the table is changed behind its back.
@Suite("Charging", .timeLimit(.minutes(2)))
struct ChargingTests {
    private let users = (1...5).map {
        #"{"command":"AddUser","id":"user-\#($0)","name":"User \#($0)","email":"user\#($0)@example.org"}"#
    }

    /// The last line of a run that finds nothing to do, after a run with five users and a change of the table.
    private func outcome(after change: String) async throws -> ProgramOutcome {
        try await withTemporaryFolder { folder in
            let first = try await withTemporaryFile(users) { try await UserService.run(["--data-dir", folder, $0]) }
            #expect(first.lines.contains("seat-billing: 5 rows for 5 events, 5 seats to pay"))
            try await self.change(folder, change)
            return try await withTemporaryFile([]) { try await UserService.run(["--data-dir", folder, $0]) }
        }
    }

    private func change(_ folder: String, _ sql: String) async throws {
        let store = try SQLiteEventStreamStore(path: folder + "/user-service.sqlite")
        try await store.withSQLiteTransaction { try $0.database.execute(sql: sql) }
    }

    @Test("A second row for an event is found")
    func twice() async throws {
        let outcome = try await outcome(after: "INSERT INTO seat_charges SELECT * FROM seat_charges LIMIT 1")
        #expect(
            outcome.summary == "emitted=0 delivered=0 dead-lettered=0 lost=0 uncharged=0 charged-twice=1")
        #expect(outcome.exitCode == 3)
    }

    @Test("An event without a row is found")
    func missing() async throws {
        let outcome = try await outcome(
            after: "DELETE FROM seat_charges WHERE rowid IN (SELECT rowid FROM seat_charges LIMIT 2)")
        #expect(
            outcome.summary == "emitted=0 delivered=0 dead-lettered=0 lost=0 uncharged=2 charged-twice=0")
        #expect(outcome.exitCode == 3)
    }

    @Test("A row that cannot be written is tried again, then given up, and the event counts as not charged")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            _ = try await withTemporaryFile([]) { try await UserService.run(["--data-dir", folder, $0]) }
            try await change(
                folder,
                """
                CREATE TRIGGER refuse BEFORE INSERT ON seat_charges WHEN NEW.user_id = 'user-3'
                BEGIN SELECT RAISE(ABORT, 'not this one'); END
                """
            )
            let outcome = try await withTemporaryFile(users) { try await UserService.run(["--data-dir", folder, $0]) }
            // The others are charged, though all came together.
            #expect(
                outcome.summary == "emitted=5 delivered=14 dead-lettered=1 lost=0 uncharged=1 charged-twice=0")
            #expect(outcome.exitCode == 3)
        }
    }
}
