import EventStreamingCore
import EventStreamingStoreKit
import GRDB
import GRDBSQLite

/// The receipts of a subscription, as one connection sees them.
struct ReceiptRows {
    let subscription: Int64
    /// The oldest event that the stream keeps; what lies before it counts as gone.
    let first: Int64
    private let database: Database

    init(of subscription: Int64, keepingFrom first: Int64, in database: Database) {
        self.subscription = subscription
        self.first = first
        self.database = database
    }

    /// A statement whose first parameter is the subscription, and the second the consumer where one is given.
    private func statement(_ sql: String, _ consumer: ConsumerID? = nil) throws -> SQLiteStatement {
        let statement = try SQLiteStatement(cachedIn: database, sql)
        statement.bind(1, subscription)
        if let consumer {
            statement.bind(2, consumer.rawValue)
        }
        return statement
    }

    // MARK: - Loading

    private static let columns = "first_offset, end_offset, status, delivered_at, read_at, deliveries"

    /// The rows of a user from the one before an offset on: it may reach up to there.
    private static let from = """
        SELECT \(columns) FROM read_receipts WHERE subscription = ?1 AND consumer = ?2 AND first_offset >= coalesce(( \
        SELECT first_offset FROM read_receipts WHERE subscription = ?1 AND consumer = ?2 AND first_offset < ?3 \
        ORDER BY first_offset DESC LIMIT 1), ?3)
        """

    /// The receipts of a user that overlap or touch the offsets, and perhaps others.
    func load(_ offsets: OffsetRanges, of consumer: ConsumerID) throws -> ReceiptRuns {
        let query = try statement("\(Self.from) AND first_offset <= ?4 ORDER BY first_offset", consumer)
        var runs: [ReceiptRun] = []
        for range in offsets.ranges {
            query.bind(3, range.lowerBound)
            query.bind(4, range.upperBound)
            defer { query.reset() }
            while try query.step() {
                runs.append(try Self.run(from: query))
            }
        }
        return ReceiptRuns(runs)
    }

    /// Where the first event begins that a user has not read; `nil` where all are.
    func firstUnread(of consumer: ConsumerID) throws -> Int64? {
        let query = try statement(
            """
            SELECT first_offset FROM read_receipts WHERE subscription = ?1 AND consumer = ?2 AND end_offset > ?3 \
            AND status <= 2 ORDER BY first_offset LIMIT 1
            """,
            consumer
        )
        query.bind(3, first)
        defer { query.reset() }
        return try query.step() ? max(first, query.int(0)) : nil
    }

    private static func run(from row: SQLiteStatement, at column: Int32 = 0) throws -> ReceiptRun {
        let bounds = (row.int(column), row.int(column + 1))
        guard 0 <= bounds.0, bounds.0 < bounds.1, bounds.1 <= EventPosition.offsetLimit,
            let status = ReadReceipt.Status(number: row.int(column + 2))
        else { throw ReceiptDamage.row }
        return ReceiptRun(
            bounds.0..<bounds.1,
            status,
            deliveredAt: Timestamp(nanosecondsSinceEpoch: row.int(column + 3)),
            readAt: row.optionalInt(column + 4).map { Timestamp(nanosecondsSinceEpoch: $0) },
            deliveries: Int(clamping: row.int(column + 5))
        )
    }

    // MARK: - Looking

    func unreadCount(of consumer: ConsumerID) throws -> Int {
        let query = try statement(
            """
            SELECT coalesce(sum(end_offset - max(first_offset, ?3)), 0) FROM read_receipts \
            WHERE subscription = ?1 AND consumer = ?2 AND end_offset > ?3 AND status <= 2
            """,
            consumer
        )
        query.bind(3, first)
        defer { query.reset() }
        return try query.step() ? Int(clamping: query.int(0)) : 0
    }

    /// At most `limit` unread events of a user from an offset on.
    func unread(of consumer: ConsumerID, from offset: Int64, limit: Int) throws -> [ReceiptRun] {
        let start = max(first, offset)
        let query = try statement("\(Self.from) AND status <= 2 ORDER BY first_offset", consumer)
        query.bind(3, start)
        defer { query.reset() }
        var runs: [ReceiptRun] = []
        var count = 0
        while count < limit, try query.step() {
            let run = try Self.run(from: query)
            runs.append(run)
            count += max(0, Int(clamping: run.offsets.upperBound - max(start, run.offsets.lowerBound)))
        }
        return ReceiptRuns(runs).unread(in: start..<Int64.max, limit: limit)
    }

    /// Who has a receipt for an event, by name.
    func receipts(for offset: Int64, after consumer: ConsumerID?, limit: Int) throws -> [(ConsumerID, ReceiptRun)] {
        guard first <= offset else { return [] }
        let query = try statement(
            """
            SELECT consumer_offsets.consumer, \(Self.columns) FROM consumer_offsets \
            JOIN read_receipts ON read_receipts.subscription = ?1 \
            AND read_receipts.consumer = consumer_offsets.consumer AND first_offset = ( \
            SELECT first_offset FROM read_receipts WHERE subscription = ?1 AND consumer = consumer_offsets.consumer \
            AND first_offset <= ?3 ORDER BY first_offset DESC LIMIT 1) \
            WHERE consumer_offsets.subscription = ?1 AND consumer_offsets.consumer > ?2 AND end_offset > ?3 \
            ORDER BY consumer_offsets.consumer LIMIT ?4
            """
        )
        query.bind(2, consumer?.rawValue ?? "")
        query.bind(3, offset)
        query.bind(4, Int64(limit))
        defer { query.reset() }
        var found: [(ConsumerID, ReceiptRun)] = []
        while try query.step() {
            guard let run = ReceiptRuns([try Self.run(from: query, at: 1)]).run(at: offset) else { continue }
            found.append((try Self.consumer(from: query, at: 0), run))
        }
        return found
    }

    /// What was delivered at `time` or earlier and is unread, the oldest first; at most `limit` events.
    func overdue(since time: Timestamp, limit: Int) throws -> [OverdueReceipt] {
        let query = try statement(
            """
            SELECT consumer, \(Self.columns) FROM read_receipts INDEXED BY read_receipts_unread \
            WHERE subscription = ?1 AND status = 1 AND delivered_at <= ?2 AND end_offset > ?3 \
            ORDER BY delivered_at, consumer, first_offset
            """
        )
        query.bind(2, time.nanosecondsSinceEpoch)
        query.bind(3, first)
        defer { query.reset() }
        var found: [OverdueReceipt] = []
        var missing = limit
        while missing > 0, try query.step() {
            let run = try Self.run(from: query, at: 1)
            let kept = ReceiptRuns([run]).unread(in: first..<Int64.max, limit: missing)
            for run in kept {
                found.append(OverdueReceipt(try Self.consumer(from: query, at: 0), run))
                missing -= run.offsets.count
            }
        }
        return found
    }

    private static func consumer(from row: SQLiteStatement, at column: Int32) throws -> ConsumerID {
        guard let consumer = try? ConsumerID(row.text(column)) else { throw ReceiptDamage.row }
        return consumer
    }

    /// The keys of at most `limit` rows with nothing but events that are gone. Costs a look at every row.
    func gone(limit: Int) throws -> [(consumer: String, offset: Int64)] {
        guard first > 0 else { return [] }
        let query = try statement(
            "SELECT consumer, first_offset FROM read_receipts WHERE subscription = ?1 AND end_offset <= ?2 LIMIT ?3"
        )
        query.bind(2, first)
        query.bind(3, Int64(limit))
        defer { query.reset() }
        var rows: [(consumer: String, offset: Int64)] = []
        while try query.step() {
            rows.append((query.text(0), query.int(1)))
        }
        return rows
    }

    // MARK: - Writing

    /// Writes the rows of a user that differ.
    func write(_ changes: ReceiptRunChanges, of consumer: ConsumerID) throws {
        if !changes.removed.isEmpty {
            let delete = try statement(
                "DELETE FROM read_receipts WHERE subscription = ?1 AND consumer = ?2 AND first_offset = ?3",
                consumer
            )
            for offset in changes.removed {
                delete.bind(3, offset)
                try delete.run()
            }
        }
        guard !changes.written.isEmpty else { return }
        let put = try statement(
            """
            INSERT OR REPLACE INTO read_receipts (subscription, consumer, \(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            consumer
        )
        for run in changes.written {
            put.bind(3, run.offsets.lowerBound)
            put.bind(4, run.offsets.upperBound)
            put.bind(5, run.status.number)
            put.bind(6, run.deliveredAt.nanosecondsSinceEpoch)
            put.bind(7, run.readAt?.nanosecondsSinceEpoch)
            put.bind(8, Int64(run.deliveries))
            try put.run()
        }
    }

    func forget(_ consumer: ConsumerID) throws {
        try statement("DELETE FROM read_receipts WHERE subscription = ?1 AND consumer = ?2", consumer).run()
    }

    /// Removes rows found by ``gone(limit:)``, those that still are.
    ///
    /// - Returns: How many.
    func removeGone(_ rows: [(consumer: String, offset: Int64)]) throws -> Int {
        let delete = try statement(
            """
            DELETE FROM read_receipts WHERE subscription = ?1 AND consumer = ?2 AND first_offset = ?3 AND end_offset <= ?4
            """
        )
        delete.bind(4, first)
        var count = 0
        for row in rows {
            delete.bind(2, row.consumer)
            delete.bind(3, row.offset)
            try delete.run()
            count += Int(sqlite3_changes(database.sqliteConnection))
        }
        return count
    }
}

private enum ReceiptDamage {
    static var row: Damage { Damage(what: "the table of receipts has a row that this store did not write") }
}
