import EventStreamingCore
import GRDB
import GRDBSQLite

/// What SQLite answered when it could not do something.
struct SQLiteFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The extended result code.
    let code: Int32
    /// SQLite's own words. They name tables and columns, never values.
    let message: String

    init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    /// The failure of the latest call on a connection.
    init(_ connection: SQLiteConnection?) {
        code = sqlite3_extended_errcode(connection)
        message = sqlite3_errmsg(connection).map { String(cString: $0) } ?? "no message"
    }

    /// What an error of any kind says about SQLite.
    init(_ error: any Error) {
        switch error {
        case let failure as SQLiteFailure: self = failure
        case let error as DatabaseError:
            // Not its description, which would show the values of a statement.
            self.init(code: error.extendedResultCode.rawValue, message: error.message ?? "no message")
        default: self.init(code: SQLITE_ERROR, message: "\(type(of: error))")
        }
    }

    /// The code without its details.
    var primaryCode: Int32 { code & 0xFF }

    /// Whether a row was refused because its key is there already. The macro `SQLITE_CONSTRAINT_UNIQUE` is not imported.
    var isRepeatedKey: Bool { code == SQLITE_CONSTRAINT | 8 << 8 }

    var description: String { "SQLite \(code): \(message)" }
}

extension EventStreamingError {
    /// What a failure of SQLite means for the caller of the store.
    ///
    /// - Parameters:
    ///   - error: What was thrown while SQLite was at work.
    ///   - path: The database file.
    init(sqlite error: any Error, path: String) {
        let failure = SQLiteFailure(error)
        let file = Self.printable(path)
        switch failure.primaryCode {
        case SQLITE_FULL:
            self.init(
                .storeUnavailable,
                "The disk or quota that holds \(file) is full. Free space; the store goes on by itself then.",
                underlying: failure
            )
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            self.init(
                .storeUnavailable,
                "The database \(file) cannot be written. Make the file and its folder writable for this process.",
                underlying: failure
            )
        case SQLITE_CANTOPEN:
            self.init(
                .storeUnavailable,
                "The database \(file) cannot be opened. Check that its folder exists and that this process may write "
                    + "there.",
                underlying: failure
            )
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self.init(
                .storeDamaged,
                "The file \(file) is damaged, or is no SQLite database. Restore a backup, or choose another path.",
                underlying: failure
            )
        case SQLITE_BUSY, SQLITE_LOCKED:
            self.init(
                .storeUnavailable,
                "Another program holds the database \(file) locked. Let only this service write to it.",
                underlying: failure
            )
        case SQLITE_TOOBIG:
            self.init(.payloadTooLarge, "The event is larger than what SQLite keeps in a row.", underlying: failure)
        default:
            self.init(.storeUnavailable, "The database \(file) failed.", underlying: failure)
        }
    }
}
