/// A store in whose transactions a service can write tables of its own: what it writes, the events it emits and the
/// checkpoint of a consumer are committed together, or not at all.
///
/// Not every store has transactions to offer; the one in memory has none.
public protocol TransactionalStore: Sendable {
    /// Runs `body` in one transaction, which is committed when `body` returns and rolled back when it throws.
    ///
    /// The transaction is as durable as an append when this returns. `body` runs where the store works, on a thread of
    /// its own, and holds up whoever writes meanwhile: it should do its writing and nothing else, and must not wait. It
    /// may be called more than once where the database asks for a repetition; only the last call counts.
    ///
    /// - Throws: what `body` throws; `storeUnavailable` or `timedOut` when the outcome is unknown, which the message
    ///   says; `cancelled` when the task was cancelled before the transaction began.
    func withTransaction<Result: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> Result
    ) async throws -> Result
}

/// A transaction of a store, inside of ``TransactionalStore/withTransaction(_:)``.
///
/// Stores add what their database offers, for example a connection to write with. Not to be used after the transaction.
public protocol StoreTransaction {
    /// Appends events, visible to others when the transaction is committed. The rules are those of
    /// ``EventStreamStore/append(_:)-(StreamAppend)``.
    ///
    /// - Throws: as that. When this throws, `body` should throw, too.
    func append(_ append: StreamAppend) throws(EventStreamingError) -> AppendResult

    /// Records what became of a lease's events. The rules are those of ``EventStreamStore/settle(_:)``.
    ///
    /// - Throws: as that. When this throws, `body` should throw, too.
    func settle(_ settlement: Settlement) throws(EventStreamingError)

    /// Marks events as processed, for others to see when the transaction is committed. The rules are those of
    /// ``IdempotencyStore/markProcessed(_:by:at:)-([MessageID],_,_)``.
    ///
    /// Where another transaction marks the same event at this moment, this waits for its end.
    ///
    /// - Returns: Those that were not marked before. Do for them, and only for them, what shall happen once.
    /// - Throws: as that. When this throws, `body` should throw, too.
    func markProcessed(_ events: [MessageID], by processor: ProcessorID) throws(EventStreamingError) -> Set<MessageID>
}
