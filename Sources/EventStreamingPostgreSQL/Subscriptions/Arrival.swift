#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Ends what ran out in the subscriptions of a stream, for calls to which that makes a difference.
///
/// Operations of a subscription do so by themselves. A stream depends on all its subscriptions: an ephemeral one keeps
/// what their positions need, and what a last attempt left behind must get into the dead letters before it is trimmed.
struct Arrival: Sendable {
    let streams: StreamDirectory
    let subscriptions: SubscriptionDirectory
    let makeGate: @Sendable (SubscriptionEntry) -> SubscriptionGate
    let clock: any EventStreamingClock
    let usesServerTime: Bool
    let news: News
    let expired: ExpiredConsumers

    private static let due = Statement(
        """
        SELECT b.name FROM subscriptions b
        WHERE ($2::bigint IS NULL OR b.stream_id = $2::bigint) AND (
            EXISTS (
                SELECT FROM consumer_offsets c
                WHERE c.subscription_id = b.id AND c.is_connected
                    AND c.expires_at <= coalesce($1::bigint, (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint)
            ) OR EXISTS (
                SELECT FROM deliveries d
                WHERE d.subscription_id = b.id AND d.holder IS NOT NULL
                    AND d.deadline <= coalesce($1::bigint, (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint)
            )
        )
        ORDER BY b.id
        """
    )

    /// The time for statements that compare with it; `nil` where they ask the server.
    var uptime: Int64? { usesServerTime ? nil : clock.uptime.clampedNanoseconds }

    /// The subscriptions, of one stream or of all, in which something ran out.
    func dueSubscriptions(of stream: Int64?, _ session: Session) throws(EventStreamingError) -> [SubscriptionID] {
        let rows = try session.rows(Self.due) { parameters in
            parameters.add(uptime)
            parameters.add(stream)
        }
        var names: [SubscriptionID] = []
        for row in 0..<rows.count {
            names.append(try rows.name(row, 0))
        }
        return names
    }

    /// Ends what ran out, each subscription in a transaction of its own.
    func run(in stream: StreamDirectory.Entry, _ session: Session) throws(EventStreamingError) {
        for transaction in try transactions(of: stream, session) {
            let outcome = try transaction.run(session)
            expired.add(outcome.expired)
            news.tell(outcome.changed)
        }
    }

    /// Ends what ran out, in the transaction that is open.
    ///
    /// - Returns: What others must be told when it is committed.
    func runWithin(
        _ session: Session,
        in stream: StreamDirectory.Entry
    ) throws(EventStreamingError) -> SubscriptionTransaction.Outcome {
        var result = SubscriptionTransaction.Outcome()
        for transaction in try transactions(of: stream, session) {
            let outcome = try transaction.runWithin(session)
            result.changed.formUnion(outcome.changed)
            result.expired += outcome.expired
        }
        return result
    }

    private func transactions(
        of stream: StreamDirectory.Entry,
        _ session: Session
    ) throws(EventStreamingError) -> [SubscriptionTransaction] {
        var transactions: [SubscriptionTransaction] = []
        for name in try dueSubscriptions(of: stream.id, session) {
            var gate = subscriptions.known(name)
            if gate == nil, let entry = try SubscriptionEntry.find(name, streams, session) {
                gate = subscriptions.add(entry, makeGate)
            }
            guard let gate else { continue }
            transactions.append(
                SubscriptionTransaction(
                    gate: gate,
                    operations: [],
                    streams: streams,
                    clock: clock,
                    usesServerTime: usesServerTime
                )
            )
        }
        return transactions
    }
}
#endif
