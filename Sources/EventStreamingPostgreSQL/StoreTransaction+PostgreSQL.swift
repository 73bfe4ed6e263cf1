#if PostgreSQL
public import EventStreamingCore

extension StoreTransaction {
    /// The transaction as one of PostgreSQL, which executes statements.
    ///
    /// ```swift
    /// workflow.write { transaction in
    ///     _ = try transaction.postgreSQL.execute("INSERT INTO mails VALUES ($1)", ["ada@example.org"])
    /// }
    /// ```
    ///
    /// - Throws: `unsupported` where the events are in another store.
    public var postgreSQL: PostgreSQLTransaction {
        get throws(EventStreamingError) {
            guard let transaction = self as? PostgreSQLTransaction else {
                throw EventStreamingError(
                    .unsupported,
                    "The events are not in PostgreSQL; write to the store's own database."
                )
            }
            return transaction
        }
    }
}
#endif
