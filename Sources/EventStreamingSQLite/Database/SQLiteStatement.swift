import GRDB
import GRDBSQLite

/// A prepared statement without anything around it, for the paths where every microsecond counts.
///
/// Belongs to one connection and is used only where that connection may be used.
final class SQLiteStatement {
    private let statement: Statement
    let handle: GRDB.SQLiteStatement

    init(_ database: Database, _ sql: String) throws {
        statement = try database.makeStatement(sql: sql)
        handle = statement.sqliteStatement
    }

    /// The statement of this text that the connection keeps.
    init(cachedIn database: Database, _ sql: String) throws {
        statement = try database.cachedStatement(sql: sql)
        handle = statement.sqliteStatement
    }

    // MARK: - Parameters

    func bind(_ index: Int32, _ value: Int64?) {
        if let value {
            sqlite3_bind_int64(handle, index, value)
        } else {
            sqlite3_bind_null(handle, index)
        }
    }

    func bind(_ index: Int32, double value: Double) {
        sqlite3_bind_double(handle, index, value)
    }

    /// Binds a copy of a text, whatever characters it has.
    func bind(_ index: Int32, _ text: String?) {
        guard var text else {
            sqlite3_bind_null(handle, index)
            return
        }
        text.withUTF8 { bytes in
            guard let start = bytes.baseAddress else {
                // No address would bind NULL.
                sqlite3_bind_text(handle, index, "", 0, Self.copied)
                return
            }
            start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { start in
                _ = sqlite3_bind_text64(handle, index, start, UInt64(bytes.count), Self.copied, UInt8(SQLITE_UTF8))
            }
        }
    }

    /// Binds bytes that stay where they are until the statement was reset.
    func bind(_ index: Int32, unmoved bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty {
            sqlite3_bind_zeroblob(handle, index, 0)
        } else {
            sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), nil)
        }
    }

    /// Binds a copy of bytes.
    func bind(_ index: Int32, copied bytes: UnsafeRawBufferPointer) {
        sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), Self.copied)
    }

    func bindNull(_ index: Int32) {
        sqlite3_bind_null(handle, index)
    }

    /// Tells SQLite to copy what is bound.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    // MARK: - Running

    /// Goes to the next row.
    ///
    /// - Returns: Whether there is one.
    func step() throws(SQLiteFailure) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw SQLiteFailure(sqlite3_db_handle(handle))
        }
    }

    /// Makes the statement ready to run again. Parameters stay as they are.
    func reset() {
        sqlite3_reset(handle)
    }

    /// Runs a statement that gives no rows.
    func run() throws(SQLiteFailure) {
        defer { reset() }
        _ = try step()
    }

    // MARK: - Columns

    func int(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    func double(_ column: Int32) -> Double {
        sqlite3_column_double(handle, column)
    }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    func optionalInt(_ column: Int32) -> Int64? {
        isNull(column) ? nil : int(column)
    }

    func text(_ column: Int32) -> String {
        // In this order: asking for the text may change its length.
        let start = sqlite3_column_text(handle, column)
        return String(
            decoding: UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))),
            as: UTF8.self
        )
    }

    func optionalText(_ column: Int32) -> String? {
        isNull(column) ? nil : text(column)
    }

    /// The bytes of a text or a blob; gone with the next step or reset.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        // Nothing, as for NULL, has no length to ask for.
        guard let start = sqlite3_column_blob(handle, column) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }
}
