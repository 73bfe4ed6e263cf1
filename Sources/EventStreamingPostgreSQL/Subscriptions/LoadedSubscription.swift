#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// The state of a subscription, and which version of its rows it is.
struct LoadedSubscription: Sendable {
    var state: SubscriptionState
    var version: Int64
    /// Where the newest version of the row is. Looking there, instead of for the id, costs the same however many older
    /// versions an old transaction keeps the server from removing.
    var place: [UInt8]
    /// What the row says.
    var record: SubscriptionRecord
    /// The latest time any call has seen. Time does not go back for a subscription.
    var uptime: Duration
    /// When it was seen last that this is what the database has.
    ///
    /// A server that crashes may forget its last moments, and then give the same version, at the same place, to other
    /// changes. So this state is good only on a connection that is older than it.
    var seenAt: ContinuousClock.Instant
    /// Its stream, when somebody looked last.
    var stream: StreamView?

    private static let subscription = Statement(
        """
        SELECT ctid, version, last_key, position, next, semantics, start_kind, start_value, event_types,
            maximum_attempts, initial_delay, maximum_delay, jitter, visibility_timeout, consumer_timeout,
            missed, start_event, partitions, partition_hash, keeps_order
        FROM subscriptions WHERE id = $1::bigint
        """
    )
    private static let consumers = Statement(
        """
        SELECT consumer, kind, epoch, is_connected, registered_at, last_seen_at, expires_at, position, next,
            missed
        FROM consumer_offsets WHERE subscription_id = $1::bigint
        """
    )
    private static let deliveries = Statement(
        """
        SELECT key, consumer, holder, deadline, first_offset, end_offset, scheduled, remaining, attempts,
            first_failure, last_failure, reason, redriven, keys
        FROM deliveries WHERE subscription_id = $1::bigint
        """
    )

    private static let partitions = Statement(
        "SELECT number, owner, epoch FROM partitions WHERE subscription_id = $1::bigint"
    )

    /// Reads the subscription's rows. The transaction must show all of them as of one moment, or hold the lock of the
    /// subscription's row.
    static func load(_ entry: SubscriptionEntry, _ session: Session) throws(EventStreamingError) -> LoadedSubscription {
        let seenAt = ContinuousClock.now
        let row = try session.rows(subscription) { $0.add(entry.id) }
        guard row.count > 0 else { throw .unknownSubscription(entry.name) }
        let record = SubscriptionRecord(
            lastKey: UInt64(bitPattern: row.int64(0, 2)),
            position: row.int64(0, 3),
            next: row.int64(0, 4),
            missed: row.int64(0, 15),
            partitions: Int(clamping: row.int64(0, 17))
        )
        var records = SubscriptionRecords(subscription: record)
        let consumers = try session.rows(consumers) { $0.add(entry.id) }
        for index in 0..<consumers.count {
            records.consumers.append(try SubscriptionRows.consumer(consumers, index))
        }
        let deliveries = try session.rows(deliveries) { $0.add(entry.id) }
        for index in 0..<deliveries.count {
            records.deliveries.append(try SubscriptionRows.delivery(deliveries, index))
        }
        if entry.mode == .consumerGroup {
            try checkHash(row.optionalText(0, 18), of: entry)
            let partitions = try session.rows(partitions) { $0.add(entry.id) }
            records.partitions = (0..<partitions.count).map { SubscriptionRows.partition(partitions, $0) }
        }
        let definition = try SubscriptionRows.definition(row, entry)
        return LoadedSubscription(
            state: SubscriptionState(restoring: records, definition: definition, seed: .random(in: 0 ... .max)),
            version: row.int64(0, 1),
            place: Array(row.bytes(0, 0)),
            record: record,
            uptime: .zero,
            seenAt: seenAt
        )
    }

    private static func checkHash(_ hash: String?, of entry: SubscriptionEntry) throws(EventStreamingError) {
        guard hash != PartitionKey.algorithm else { return }
        throw EventStreamingError(
            .unsupported,
            "The events of group '\(entry.name)' are shared out by \(hash ?? "an unknown hash"), which this version does "
                + "not have; use the version that created the group."
        )
    }
}
#endif
