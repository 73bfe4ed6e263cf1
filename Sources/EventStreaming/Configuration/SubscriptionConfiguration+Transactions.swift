public import EventStreamingCore

extension SubscriptionConfiguration {
    /// Has every event handled by `handle` while the service runs, in the transaction of the store that also marks the event
    /// as processed and moves the position. For ``semantics`` `.exactlyOnce`.
    ///
    /// What `handle` writes with the transaction is committed once for each event, whatever crashes; anything else it does
    /// may happen again. Up to 100 events share a transaction. When `handle` throws, the transaction is rolled back, and
    /// only the event that failed is delivered again, by ``retry``; the others are committed without it. `handle` runs
    /// where the store works, holds up whoever writes to the stream meanwhile, and must not wait; it may be called again
    /// for the same event, when what it did before was rolled back. Replaces any such handler set before.
    public mutating func handleInTransaction(
        _ handle: @escaping @Sendable (TransactionalDelivery, any StoreTransaction) throws -> Void
    ) {
        transactionalHandler = TransactionalHandler(handle)
        handledTypes = nil
    }

    /// Has events of one type handled by `handle` while the service runs, in the transaction that finishes the event, as
    /// ``handleInTransaction(_:)``; may be called for several types.
    ///
    /// Without ``eventTypes``, only the types handled are delivered.
    public mutating func handleInTransaction<E: Event>(
        _ type: E.Type,
        _ handle: @escaping @Sendable (E, TransactionalDelivery, any StoreTransaction) throws -> Void
    ) {
        if handledTypes == nil {
            transactionalHandler = nil
        }
        transactionalHandler = TransactionalHandler(type, handle, otherwise: transactionalHandler)
        handledTypes = (handledTypes ?? []) + [E.eventType]
        knownTypes.append(type)
    }
}
