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
        let transaction = SQLiteTransaction(connection, writer: self, moment: moment, path: path)
        var result = Swift.Result { try body(transaction) }
        transaction.end()
        if let failure = transaction.failure {
            throw failure
        }
        guard sqlite3_get_autocommit(connection.sqliteConnection) == 0 else {
            // SQLite ends a transaction by itself when the disk is full or fails.
            if case .failure(let error) = result, error is DatabaseError { throw error }
            throw EventStreamingError(
                .invalidArgument,
                "The transaction was ended inside of its closure. Leave that to the store: return, or throw."
            ).asInterruption
        }
        if case .success = result, Self.breaksDeferredConstraint(connection) {
            result = .failure(DatabaseError(resultCode: .SQLITE_CONSTRAINT_FOREIGNKEY, message: Self.brokenConstraint))
        }
        if case .failure = result {
            try statement(.returnToSavepoint).run()
            restore(memory)
        }
        try statement(.releaseSavepoint).run()
        return result
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
    }
}

extension EventStreamingError {
    /// The error as one that ends the whole group.
    fileprivate var asInterruption: Interruption { Interruption(cause: self, isUnknown: true) }
}
