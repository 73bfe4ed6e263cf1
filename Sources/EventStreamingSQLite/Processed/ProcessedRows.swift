import EventStreamingCore
import GRDB
import GRDBSQLite

/// The marks of one processor, as one connection sees them.
struct ProcessedRows {
    private let database: Database
    private let processor: ProcessorID

    init(of processor: ProcessorID, in database: Database) {
        self.processor = processor
        self.database = database
    }

    private func statement(_ sql: String) throws -> SQLiteStatement {
        try SQLiteStatement(cachedIn: database, sql)
    }

    /// The number of the processor, if it has one.
    private func number() throws -> Int64? {
        let query = try statement("SELECT id FROM processors WHERE name = ?")
        query.bind(1, processor.rawValue)
        defer { query.reset() }
        return try query.step() ? query.int(0) : nil
    }

    private func makeNumber() throws -> Int64 {
        if let number = try number() { return number }
        let insert = try statement("INSERT INTO processors (name) VALUES (?)")
        insert.bind(1, processor.rawValue)
        try insert.run()
        return sqlite3_last_insert_rowid(database.sqliteConnection)
    }

    /// Which of the events are marked.
    func marked(_ events: [MessageID]) throws -> Set<MessageID> {
        guard let number = try number() else { return [] }
        let query = try statement("SELECT 1 FROM processed_events WHERE consumer_id = ? AND event_id = ?")
        query.bind(1, number)
        var marked: Set<MessageID> = []
        for event in events {
            event.withBytes { query.bind(2, copied: $0) }
            if try query.step() {
                marked.insert(event)
            }
            query.reset()
        }
        return marked
    }

    /// Marks events.
    ///
    /// - Returns: Those that were not marked before.
    @discardableResult
    func mark(_ events: [MessageID], at time: Timestamp) throws -> Set<MessageID> {
        guard !events.isEmpty else { return [] }
        let insert = try statement(
            """
            INSERT INTO processed_events (consumer_id, event_id, processed_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
            """
        )
        insert.bind(1, try makeNumber())
        insert.bind(3, time.nanosecondsSinceEpoch)
        var new = Set<MessageID>(minimumCapacity: events.count)
        for event in events {
            event.withBytes { insert.bind(2, copied: $0) }
            try insert.run()
            if sqlite3_changes(database.sqliteConnection) > 0 {
                new.insert(event)
            }
        }
        return new
    }

    /// Removes marks; all of them when `events` is `nil`.
    ///
    /// - Returns: How many.
    @discardableResult
    func forget(_ events: [MessageID]?) throws -> Int {
        guard let number = try number() else { return 0 }
        guard let events else {
            let delete = try statement("DELETE FROM processed_events WHERE consumer_id = ?")
            delete.bind(1, number)
            try delete.run()
            return Int(sqlite3_changes(database.sqliteConnection))
        }
        let delete = try statement("DELETE FROM processed_events WHERE consumer_id = ? AND event_id = ?")
        delete.bind(1, number)
        var count = 0
        for event in events {
            event.withBytes { delete.bind(2, copied: $0) }
            try delete.run()
            count += Int(sqlite3_changes(database.sqliteConnection))
        }
        return count
    }

    /// Removes at most `limit` marks from before `time`, of all processors.
    ///
    /// - Returns: How many.
    static func removeMarks(before time: Timestamp, limit: Int, in database: Database) throws -> Int {
        let delete = try SQLiteStatement(
            cachedIn: database,
            """
            DELETE FROM processed_events WHERE (consumer_id, event_id) IN (
                SELECT consumer_id, event_id FROM processed_events INDEXED BY processed_events_by_time
                WHERE processed_at < ? ORDER BY processed_at LIMIT ?
            )
            """
        )
        delete.bind(1, time.nanosecondsSinceEpoch)
        delete.bind(2, Int64(limit))
        try delete.run()
        return Int(sqlite3_changes(database.sqliteConnection))
    }
}
