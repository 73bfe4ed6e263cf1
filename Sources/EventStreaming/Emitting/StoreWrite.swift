import EventStreamingCore

/// What a handler writes to the database of the store, in the transaction that commits its events.
typealias StoreWrite = @Sendable (any StoreTransaction) throws -> Void

extension EventStreamStore {
    /// The store, if it has transactions.
    ///
    /// - Throws: `unsupported`.
    var transactional: any TransactionalStore {
        get throws(EventStreamingError) {
            guard let store = self as? any TransactionalStore else {
                throw EventStreamingError(
                    .unsupported,
                    "The store has no transactions; choose one of SQLite or PostgreSQL to write along with events."
                )
            }
            return store
        }
    }
}
