#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

/// A transaction of a ``PostgreSQLEventStreamStore``: statements for tables of the service's own, and the store's
/// changes, which are committed together.
///
/// Belongs to the closure that got it, and refuses to do anything when that has returned. The store's schema comes first
/// in the search path, then `public`; leave the store's tables alone.
public final class PostgreSQLTransaction: StoreTransaction {
    private let session: Session
    private let arrival: Arrival
    private let makeSettlement: (Settlement) throws(EventStreamingError) -> SubscriptionTransaction
    private var isOver = false
    private(set) var changed: Set<StreamName> = []
    private(set) var expired: [ConsumerRegistration] = []

    init(
        _ session: Session,
        _ arrival: Arrival,
        _ makeSettlement: @escaping (Settlement) throws(EventStreamingError) -> SubscriptionTransaction
    ) {
        self.session = session
        self.arrival = arrival
        self.makeSettlement = makeSettlement
    }

    /// Appends events, visible to others when the transaction is committed.
    public func append(_ append: StreamAppend) throws(EventStreamingError) -> AppendResult {
        try checkIsOpen()
        let pending = try PendingAppend(append)
        var group = AppendGroup([pending], arrival)
        try group.runWithin(session)
        changed.formUnion(group.changed)
        expired += group.expired
        guard let outcome = group.outcomes[0] else {
            throw EventStreamingError(.storeUnavailable, "The append was not decided.")
        }
        return try outcome.get()
    }

    /// Records what became of a lease's events.
    public func settle(_ settlement: Settlement) throws(EventStreamingError) {
        try checkIsOpen()
        let outcome = try makeSettlement(settlement).runWithin(session)
        changed.formUnion(outcome.changed)
        expired += outcome.expired
    }

    /// Marks events as processed, for others to see when the transaction is committed.
    public func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) throws(EventStreamingError) -> Set<MessageID> {
        try checkIsOpen()
        guard !events.isEmpty else { return [] }
        return try ProcessedRows.mark(events, by: processor, at: arrival.clock.now, session)
    }

    /// Runs one statement with values for its `$1`, `$2`…
    ///
    /// - Parameters:
    ///   - sql: The statement. Never put values into its text: that is what `values` is for.
    ///   - values: The values as PostgreSQL reads them in text form, `nil` for NULL; the server finds out their types.
    /// - Returns: The rows, with every value in text form, `nil` for NULL.
    /// - Throws: What the server says. The transaction cannot be committed then.
    @discardableResult
    public func execute(_ sql: String, _ values: [String?] = []) throws(EventStreamingError) -> [[String?]] {
        try checkIsOpen()
        do throws(DatabaseError) {
            return try session.textQuery(sql, values)
        } catch {
            throw error.eventStreamingError
        }
    }

    private func checkIsOpen() throws(EventStreamingError) {
        guard !isOver else {
            throw EventStreamingError(
                .invalidArgument, "The transaction is over; nothing can be done with it any more.")
        }
    }

    func end() {
        isOver = true
    }
}
#endif
