public import EventStreamingCore

extension FaultInjectingStore: TransactionalStore {
    /// A transaction of the wrapped store, unless a fault of ``Operation/transaction`` applies.
    ///
    /// - Throws: `EventStreamingError` with code `unsupported` when the wrapped store has none.
    public func withTransaction<Result: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> Result
    ) async throws -> Result {
        // What `body` throws is carried past the typed seam of the faults.
        let outcome = try await perform(.transaction) {
            () async throws(EventStreamingError) -> Swift.Result<Result, any Error> in
            guard let base = base as? any TransactionalStore else {
                throw EventStreamingError(.unsupported, "The wrapped store has no transactions.")
            }
            do {
                return .success(try await base.withTransaction(body))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
