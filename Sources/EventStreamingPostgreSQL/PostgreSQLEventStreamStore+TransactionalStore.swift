#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore: TransactionalStore {
    private static let attempts = 8

    /// Runs `body` in one transaction. The transaction is a ``PostgreSQLTransaction``, which writes tables of the
    /// service's own.
    public func withTransaction<Result: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> Result
    ) async throws -> Result {
        try await withPostgreSQLTransaction { try body($0) }
    }

    /// Runs `body` in one transaction, with statements at hand.
    ///
    /// ```swift
    /// try await store.withPostgreSQLTransaction { transaction in
    ///     try transaction.execute("INSERT INTO public.users (email) VALUES ($1)", [email])
    ///     _ = try transaction.append(StreamAppend(stream: stream, events: events))
    /// }
    /// ```
    ///
    /// Where the server ends the transaction in favour of another, it is begun again, and `body` called again.
    ///
    /// - Throws: what `body` throws; `storeUnavailable` or `timedOut` when the outcome is unknown, which the message
    ///   says; `cancelled` when the task was cancelled before the transaction was committed.
    public func withPostgreSQLTransaction<Result: Sendable>(
        _ body: @escaping @Sendable (PostgreSQLTransaction) throws -> Result
    ) async throws -> Result {
        var attempt = 1
        while true {
            let (result, changed, expired) = try await attemptTransaction(body)
            switch result {
            case .success(let value):
                self.expired.add(expired)
                news.tell(changed)
                return value
            case .failure(let error):
                let error: any Error = (error as? EventStreamingError)?.asCancellation ?? error
                guard (error as? EventStreamingError)?.isConflict == true, attempt < Self.attempts else { throw error }
                // Both parties of a deadlock would only meet again.
                try? await Task.sleep(for: .milliseconds(20) * Double.random(in: 0...Double(attempt)))
                attempt += 1
            }
        }
    }

    private typealias Attempt<Value: Sendable> = (
        result: Swift.Result<Value, any Error>, changed: Set<StreamName>, expired: [ConsumerRegistration]
    )

    private func attemptTransaction<Value: Sendable>(
        _ body: @escaping @Sendable (PostgreSQLTransaction) throws -> Value
    ) async throws -> Attempt<Value> {
        let (streams, clock, usesServerTime) = (directory, clock, options.usesServerTime)
        let (subscriptions, arrival) = (subscriptions, arrival)
        return try await connections.withSession { (session) throws(EventStreamingError) -> Attempt<Value> in
            let transaction = PostgreSQLTransaction(session, arrival) {
                (settlement) throws(EventStreamingError) in
                let id = settlement.holder.subscription
                var gate = subscriptions.known(id)
                if gate == nil, let entry = try SubscriptionEntry.find(id, streams, session) {
                    gate = subscriptions.add(entry, arrival.makeGate)
                }
                guard let gate else { throw .leaseEnded(settlement) }
                return SubscriptionTransaction(settling: settlement, gate, streams, clock, usesServerTime)
            }
            let result = Swift.Result {
                try session.transaction(orThrow: { $0.eventStreamingError as any Error }) { _ in
                    defer { transaction.end() }
                    return try body(transaction)
                }
            }
            return (result, transaction.changed, transaction.expired)
        }
    }
}
#endif
