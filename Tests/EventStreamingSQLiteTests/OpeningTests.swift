import EventStreamingCore
import EventStreamingSQLite
import Foundation
import GRDB
import ProcessTesting
import Testing

@Suite("Opening an SQLite file", .timeLimit(.minutes(5)))
struct OpeningTests {
    @Test("A file that was closed is opened again with all that is in it")
    func reopening() async throws {
        try await Fixture.with { fixture in
            let events = try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                return try await fixture.append(3, to: store)
            }
            try await fixture.withStore { store in
                #expect(try await fixture.ids(in: store) == events.map(\.id))
                let result = try await store.append(StreamAppend(stream: fixture.stream, events: fixture.events(1)))
                #expect(result.offsets == StreamOffset(3)..<StreamOffset(4))
            }
        }
    }

    @Test("A second store of the same file is refused, also under another name, until the first has gone")
    func secondStore() async throws {
        try await Fixture.with { fixture in
            let link = fixture.path + ".link"
            try await fixture.withStore { _ in
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: fixture.path)
                for path in [fixture.path, link] {
                    let error = await storeError { _ = try SQLiteEventStreamStore(path: path) }
                    #expect(error?.code == .storeUnavailable)
                    #expect(error?.message.contains("open already, in process \(getpid())") == true)
                    #expect(error?.message.contains("PostgreSQL") == true)
                }
            }
            _ = try SQLiteEventStreamStore(path: link)
        }
    }

    #if os(Linux)
    @Test("A file that another process has is refused, and can be opened as soon as that process is killed")
    func secondProcess() async throws {
        try await Fixture.with { fixture in
            let script = "exec 9<>\"$0-lock\" && flock 9 && echo locked && read line"
            try await withProgram(at: "/bin/bash", ["-c", script, fixture.path]) { process in
                try await process.lines(until: "locked")
                let error = await storeError { _ = try fixture.open() }
                #expect(error?.code == .storeUnavailable)
                #expect(error?.message.contains("open already, in another process") == true)
                try process.kill()
                _ = try await process.outcome()
                _ = try fixture.open()
            }
        }
    }
    #endif

    @Test("A path that cannot be one is refused", arguments: ["", ":memory:", "file:events.sqlite", "a\0b"])
    func badPath(_ path: String) async {
        let error = await storeError { _ = try SQLiteEventStreamStore(path: path) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(".inMemory") == true)
    }

    @Test("A folder that is missing is told, and none is made")
    func missingFolder() async throws {
        try await withTemporaryFolder { folder in
            let error = await storeError { _ = try SQLiteEventStreamStore(path: folder + "/data/events.sqlite") }
            #expect(error?.code == .storeUnavailable)
            #expect(error?.message.contains("Create the folder") == true)
            #expect(!FileManager.default.fileExists(atPath: folder + "/data"))
        }
    }

    @Test("A folder in which nothing can be written is told")
    func unwritableFolder() async throws {
        let path: String
        #if os(Linux)
        // Even root cannot make a file there.
        path = "/proc/events.sqlite"
        #else
        path = "/System/events.sqlite"
        #endif
        let error = await storeError { _ = try SQLiteEventStreamStore(path: path) }
        #expect(error?.code == .storeUnavailable)
        #expect(error?.message.contains("Make the folder writable") == true)
    }

    @Test("A folder instead of a file is told")
    func folderInsteadOfFile() async throws {
        try await withTemporaryFolder { folder in
            let error = await storeError { _ = try SQLiteEventStreamStore(path: folder) }
            #expect(error?.code == .storeUnavailable)
        }
    }

    @Test("A file that is no database is told, and left as it is")
    func noDatabase() async throws {
        try await Fixture.with { fixture in
            let content = Data("This is a letter to somebody, and longer than the header of a database is. ".utf8)
            let bytes = content + content + content
            try bytes.write(to: URL(fileURLWithPath: fixture.path))
            let error = await storeError { _ = try fixture.open() }
            #expect(error?.code == .storeDamaged)
            #expect(error?.message.contains("Restore a backup") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == bytes)
        }
    }

    @Test("A database that is damaged is told")
    func damagedDatabase() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { try await fixture.makeStream(in: $0) }
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path))
            // Everything behind the header.
            try file.seek(toOffset: 100)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 40_000))
            try file.close()
            let error = await storeError { try await fixture.withStore { try await fixture.makeStream(in: $0) } }
            #expect(error?.code == .storeDamaged)
        }
    }

    @Test("Tables of a newer version are refused")
    func newerVersion() async throws {
        try await Fixture.with { fixture in
            _ = try fixture.open()
            try fixture.withConnection {
                try $0.execute(sql: "INSERT INTO event_streaming_schema (version) VALUES (999)")
            }
            let error = await storeError { _ = try fixture.open() }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("version 999") == true)
        }
    }

    @Test("Tables of another program with our names are refused, and left as they are")
    func takenName() async throws {
        try await Fixture.with { fixture in
            try fixture.withConnection { try $0.execute(sql: "CREATE TABLE Events (name TEXT)") }
            let error = await storeError { _ = try fixture.open() }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("'events'") == true)
            #expect(try fixture.withConnection { try !$0.tableExists("streams") })
            #expect(try fixture.withConnection { try $0.columns(in: "events").map(\.name) } == ["name"])
        }
    }

    @Test("Tables of the application may share the file, whatever version they have")
    func sharedFile() async throws {
        try await Fixture.with { fixture in
            try fixture.withConnection {
                try $0.execute(sql: "CREATE TABLE users (name TEXT); PRAGMA user_version = 7")
            }
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.append(1, to: store)
            }
            #expect(try fixture.withConnection { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 7)
        }
    }

    @Test("The printed script makes the tables that the store makes")
    func script() async throws {
        try await Fixture.with { fixture in
            try fixture.withConnection { try $0.execute(sql: SQLiteEventStreamStore.migrationScript) }
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.append(1, to: store)
            }
            let other = try Fixture(path: fixture.path + ".other")
            _ = try other.open()
            let query = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
            let tables = try fixture.withConnection { try Row.fetchAll($0, sql: query) }
            #expect(try other.withConnection { try Row.fetchAll($0, sql: query) } == tables)
            #expect(tables.count > 5)
        }
    }

    @Test("A migration that was interrupted goes on where it stopped")
    func interruptedMigration() async throws {
        try await Fixture.with { fixture in
            // The version table is made before, and outside of, the first step.
            let script = SQLiteEventStreamStore.migrationScript
            let end = try #require(script.range(of: "-- Version 1")?.lowerBound)
            try fixture.withConnection { try $0.execute(sql: String(script[..<end])) }
            try await fixture.withStore { try await fixture.makeStream(in: $0) }
        }
    }

    @Test("Commits wait for the disk, in a write-ahead log")
    func durability() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                let (synchronous, mode) = try await store.withSQLiteTransaction { transaction in
                    (
                        try Int.fetchOne(transaction.database, sql: "PRAGMA synchronous"),
                        try String.fetchOne(transaction.database, sql: "PRAGMA journal_mode")
                    )
                }
                #expect(synchronous == 2)
                #expect(mode == "wal")
            }
        }
    }
}
