public import EventStreamingCore

extension StoreTransaction {
    /// The transaction as one of SQLite, with its database connection.
    ///
    /// ```swift
    /// workflow.write { transaction in
    ///     try transaction.sqlite.database.execute(sql: "INSERT INTO mails VALUES (?)", arguments: ["ada@example.org"])
    /// }
    /// ```
    ///
    /// - Throws: `unsupported` where the events are in another store.
    public var sqlite: SQLiteTransaction {
        get throws(EventStreamingError) {
            guard let transaction = self as? SQLiteTransaction else {
                throw EventStreamingError(
                    .unsupported, "The events are not in SQLite; write to the store's own database.")
            }
            return transaction
        }
    }
}
