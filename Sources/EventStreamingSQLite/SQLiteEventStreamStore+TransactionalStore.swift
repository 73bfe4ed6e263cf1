public import EventStreamingCore
import EventStreamingStoreKit

extension SQLiteEventStreamStore: TransactionalStore {
    /// Runs `body` in one transaction. The transaction is a ``SQLiteTransaction``, whose connection writes tables of the
    /// service's own.
    ///
    /// Others that wait share the transaction; when `body` throws, only what it did is undone.
    public func withTransaction<Result: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> Result
    ) async throws -> Result {
        try await withSQLiteTransaction { try body($0) }
    }

    /// Runs `body` in one transaction, with the connection at hand.
    ///
    /// ```swift
    /// try await store.withSQLiteTransaction { transaction in
    ///     try transaction.database.execute(sql: "INSERT INTO users (email) VALUES (?)", arguments: [email])
    ///     _ = try transaction.append(StreamAppend(stream: stream, events: events))
    /// }
    /// ```
    ///
    /// - Throws: what `body` throws; `storeUnavailable` when the database fails; `cancelled` when the task was cancelled
    ///   before the transaction began.
    public func withSQLiteTransaction<Result: Sendable>(
        _ body: @escaping @Sendable (SQLiteTransaction) throws -> Result
    ) async throws -> Result {
        let moment = Moment(clock)
        let path = database.path
        return try await change(durable: true) { writer in
            try writer.withTransaction(at: moment, path: path, body)
        }.get()
    }
}
