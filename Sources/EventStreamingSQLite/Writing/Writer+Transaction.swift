import EventStreamingCore
import EventStreamingStoreKit
import GRDB
import GRDBSQLite

extension Writer {
    /// Runs `body` in the transaction of the group, as a part that can be given up alone.
    ///
    /// - Returns: What `body` returned or threw.
    func withTransaction<Result: Sendable>(
        at moment: Moment,
        path: String,
        _ body: (SQLiteTransaction) throws -> Result
    ) throws -> Swift.Result<Result, any Error> {
        try begin()
        let connection = try requireConnection()
        try writeChanges()
        let memory = self.memory
        try statement(.setSavepoint).run()
        let version = try Self.dataVersion(connection)
        let transaction = SQLiteTransaction(connection, writer: self, moment: moment, path: path)
        var result = Swift.Result { try body(transaction) }
        transaction.end()
        // Before anything else: a group may be done again only where nothing of it was committed.
        guard try Self.dataVersion(connection) == version else { throw Self.endedInside }
        if let failure = transaction.failure {
            throw failure
        }
        guard sqlite3_get_autocommit(connection.sqliteConnection) == 0 else {
            // SQLite ends a transaction by itself when the disk is full or fails.
            if case .failure(let error) = result, error is DatabaseError { throw error }
            throw Self.endedInside
        }
        if case .success = result, Self.breaksDeferredConstraint(connection) {
            result = .failure(DatabaseError(resultCode: .SQLITE_CONSTRAINT_FOREIGNKEY, message: Self.brokenConstraint))
        }
        do {
            if case .failure = result {
                try statement(.returnToSavepoint).run()
                restore(memory)
            }
            try statement(.releaseSavepoint).run()
        } catch let failure as SQLiteFailure where failure.primaryCode == SQLITE_ERROR {
            // There is no such savepoint: this is another transaction than the one that was begun for the closure.
            throw Self.endedInside
        }
        return result
    }

    private static var endedInside: Interruption {
        let error = EventStreamingError(
            .invalidArgument,
            "The transaction was ended inside of its closure. Leave that to the store: return, or throw."
        )
        return Interruption(cause: error, isUnknown: true)
    }

    /// A number that changes with every commit, those of this connection included.
    private static func dataVersion(_ connection: Database) throws -> UInt32 {
        var version: UInt32 = 0
        let status = sqlite3_file_control(
            connection.sqliteConnection, "main", SQLITE_FCNTL_DATA_VERSION, &version)
        guard status == SQLITE_OK else { throw SQLiteFailure(connection.sqliteConnection) }
        return version
    }

    private static let brokenConstraint = "FOREIGN KEY constraint failed"

    /// Whether a foreign key that is only checked by the commit is broken: nobody but its transaction must fail then.
    private static func breaksDeferredConstraint(_ connection: Database) -> Bool {
        var count: Int32 = 0
        var highest: Int32 = 0
        let status = sqlite3_db_status(
            connection.sqliteConnection, SQLITE_DBSTATUS_DEFERRED_FKS, &count, &highest, 0)
        return status == SQLITE_OK && count != 0
    }

    func settle(_ settlement: Settlement, at moment: Moment) throws {
        guard let subscription = subscriptions[settlement.holder.subscription] else {
            throw EventStreamingError.leaseEnded(settlement)
        }
        try change(subscription, at: moment) { state, floor, moment, effects in
            try state.settle(settlement, at: moment, floor: &floor, effects: &effects)
        }
        try begin()
        try mark(settlement.processed, at: moment)
    }
}
