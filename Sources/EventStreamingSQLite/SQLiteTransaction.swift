public import EventStreamingCore
import EventStreamingStoreKit
public import GRDB
import GRDBSQLite

/// A transaction of an ``SQLiteEventStreamStore``: a connection for tables of the service's own, and the store's changes,
/// which are committed together.
///
/// Belongs to the closure that got it, and refuses to do anything when that has returned.
public final class SQLiteTransaction: StoreTransaction {
    /// The connection, with the transaction begun: write with it, but do not end the transaction, and leave the store's
    /// own tables alone.
    public let database: Database

    private let writer: Writer
    private let moment: Moment
    private let path: String
    private var isOver = false
    /// Why the database failed. Nothing of the transaction can be kept then, whatever the closure makes of it.
    private(set) var failure: (any Error)?

    init(_ database: Database, writer: Writer, moment: Moment, path: String) {
        self.database = database
        self.writer = writer
        self.moment = moment
        self.path = path
    }

    /// Appends events, visible to others when the transaction is committed.
    public func append(_ append: StreamAppend) throws(EventStreamingError) -> AppendResult {
        let pending = try PendingAppend(append)
        return try perform { try writer.append(pending.checked, to: pending.stream, at: moment) }
    }

    /// Records what became of a lease's events.
    public func settle(_ settlement: Settlement) throws(EventStreamingError) {
        try perform { try writer.settle(settlement, at: moment) }
    }

    /// Marks events as processed, for others to see when the transaction is committed.
    public func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) throws(EventStreamingError) -> Set<MessageID> {
        try perform { try writer.markProcessed(events, by: processor, at: moment.now) }
    }

    private func perform<Result>(_ body: () throws -> Result) throws(EventStreamingError) -> Result {
        // Outside of a transaction, every row would be committed by itself.
        guard !isOver, failure == nil, sqlite3_get_autocommit(database.sqliteConnection) == 0 else {
            throw EventStreamingError(
                .invalidArgument, "The transaction is over; nothing can be done with it any more.")
        }
        do {
            let result = try body()
            try writer.writeChanges()
            return result
        } catch let refusal as EventStreamingError {
            throw refusal
        } catch {
            failure = error
            throw EventStreamingError(sqlite: error, path: path)
        }
    }

    func end() {
        isOver = true
    }
}
