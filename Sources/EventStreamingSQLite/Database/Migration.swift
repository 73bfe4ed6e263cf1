import GRDB

/// One step from a version of the tables to the next. What was released never changes.
struct Migration: Sendable {
    /// The version that the tables have afterwards.
    let version: Int64
    /// What the step does, as one SQL script.
    let sql: String

    /// All steps, in order of their versions, from 1 without a gap.
    static let all = [tables, groups, processed, receipts, audit, order]

    /// The version this code knows.
    static var latest: Int64 { all.last?.version ?? 0 }

    /// The table that tells which steps were made. Its own, as the file may hold tables of the application, which may
    /// use `user_version` for theirs.
    static let versionTable = """
        CREATE TABLE IF NOT EXISTS event_streaming_schema (
            version INTEGER PRIMARY KEY,
            applied TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        ) STRICT;
        """

    /// The whole script for people: what an empty database goes through.
    static var script: String {
        all.reduce(into: versionTable + "\n") { script, migration in
            script += "\n-- Version \(migration.version)\nBEGIN IMMEDIATE;\n\(migration.sql)\n"
            script += "INSERT INTO event_streaming_schema (version) VALUES (\(migration.version));\nCOMMIT;\n"
        }
    }

    /// Why the tables cannot be brought up to date.
    enum Failure: Error, Hashable {
        /// A newer version of this library has changed the tables.
        case isNewer(version: Int64)
        /// The database has a table or an index of this name, made by somebody else.
        case nameTaken(String)
    }

    /// Makes the steps that are missing, each in a transaction of its own: after an interruption the next call goes on
    /// where this one stopped.
    static func migrate(_ database: Database) throws {
        try database.execute(sql: versionTable)
        let version = try Int64.fetchOne(database, sql: "SELECT max(version) FROM event_streaming_schema") ?? 0
        guard version <= latest else { throw Failure.isNewer(version: version) }
        for migration in all where migration.version > version {
            try database.inTransaction(.immediate) {
                try migration.checkNames(database)
                try database.execute(sql: migration.sql)
                try database.execute(
                    sql: "INSERT INTO event_streaming_schema (version) VALUES (?)",
                    arguments: [migration.version]
                )
                return .commit
            }
        }
    }

    /// The names that the step gives to new tables and indexes.
    private var newNames: [String] {
        sql.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.first == "CREATE" else { return nil }
            let kind = words.firstIndex { $0 == "TABLE" || $0 == "INDEX" }
            return kind.flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
        }
    }

    private func checkNames(_ database: Database) throws {
        for name in newNames {
            let count = try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM sqlite_schema WHERE lower(name) = ?",
                arguments: [name]
            )
            guard count == 0 else { throw Failure.nameTaken(name) }
        }
    }
}
