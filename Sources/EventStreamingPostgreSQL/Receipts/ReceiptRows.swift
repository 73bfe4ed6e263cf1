#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// The receipts of users, as rows.
///
/// Who changes the receipts of a user holds the lock of the user's row in `consumer_offsets`. Locks are taken in this order:
/// streams, the subscription, users in order of their names. Who has the lock of only one user waits for nobody else, so
/// that nobody waits in a circle.
enum ReceiptRows {
    /// What has to be known to change the receipts of a user.
    struct Situation {
        /// The events that the stream keeps.
        let kept: Range<Int64>
        /// The time by the server's clock.
        let serverTime: Timestamp
    }

    /// A piece of the receipts of a user.
    struct Window {
        let consumer: ConsumerID
        let offsets: Range<Int64>
    }

    // MARK: - Locking

    private static let lock = Statement(
        """
        SELECT s.first_offset, s.head, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000
        FROM consumer_offsets c, streams s
        WHERE c.subscription_id = $1::bigint AND c.consumer = $2::text AND s.id = $3::bigint
        FOR NO KEY UPDATE OF c
        """
    )
    private static let lockAll = Statement(
        """
        SELECT FROM consumer_offsets WHERE subscription_id = $1::bigint AND consumer = ANY ($2::text[])
        ORDER BY consumer FOR NO KEY UPDATE
        """
    )

    /// Keeps others from changing the receipts of a user until the transaction ends.
    ///
    /// - Throws: `unknownConsumer`.
    static func lock(
        _ consumer: ConsumerID,
        of entry: SubscriptionEntry,
        _ session: Session
    ) throws(EventStreamingError) -> Situation {
        let rows = try session.rows(lock) { parameters in
            parameters.add(entry.id)
            parameters.add(consumer.rawValue)
            parameters.add(entry.stream.id)
        }
        guard rows.count > 0 else { throw .unknownConsumer(consumer, of: entry.name) }
        let first = rows.int64(0, 0)
        return Situation(
            kept: first..<max(first, rows.int64(0, 1)),
            serverTime: Timestamp(nanosecondsSinceEpoch: rows.int64(0, 2))
        )
    }

    // MARK: - Loading

    private static let load = Statement(
        """
        SELECT w.consumer, r.first_offset, r.end_offset, r.status::bigint, r.delivered_at, r.read_at, r.deliveries::bigint
        FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS w (consumer, low, high)
        CROSS JOIN LATERAL (
            SELECT * FROM read_receipts
            WHERE subscription_id = $1::bigint AND consumer = w.consumer AND first_offset <= w.high
                AND first_offset >= coalesce((
                    SELECT p.first_offset FROM read_receipts p
                    WHERE p.subscription_id = $1::bigint AND p.consumer = w.consumer AND p.first_offset < w.low
                    ORDER BY p.first_offset DESC LIMIT 1
                ), w.low)
        ) r
        """
    )
    private static let loadUnread = Statement(
        """
        SELECT r.consumer, r.first_offset, r.end_offset, r.status::bigint, r.delivered_at, r.read_at, r.deliveries::bigint
        FROM (
            SELECT u.first_offset AS low FROM read_receipts u
            WHERE u.subscription_id = $1::bigint AND u.consumer = $2::text AND u.end_offset > $3::bigint AND u.status <= 2
            ORDER BY u.first_offset LIMIT 1
        ) f
        JOIN read_receipts r ON r.subscription_id = $1::bigint AND r.consumer = $2::text AND r.first_offset <= $4::bigint
            AND r.first_offset >= coalesce((
                SELECT p.first_offset FROM read_receipts p
                WHERE p.subscription_id = $1::bigint AND p.consumer = $2::text AND p.first_offset < f.low
                ORDER BY p.first_offset DESC LIMIT 1
            ), f.low)
        """
    )

    /// Reads the receipts that overlap or touch the windows, and perhaps others.
    private static func loading(_ windows: [Window], of entry: SubscriptionEntry) -> Command {
        Command(load) { parameters in
            parameters.add(entry.id)
            parameters.add(windows.map(\.consumer.rawValue))
            parameters.add(windows.map(\.offsets.lowerBound))
            parameters.add(windows.map(\.offsets.upperBound))
        }
    }

    /// The receipts of a user that overlap or touch the offsets, and perhaps others.
    static func load(
        _ offsets: OffsetRanges,
        of consumer: ConsumerID,
        in entry: SubscriptionEntry,
        _ session: Session
    ) throws(EventStreamingError) -> ReceiptRuns {
        let windows = offsets.ranges.map { Window(consumer: consumer, offsets: $0) }
        guard !windows.isEmpty else { return ReceiptRuns() }
        let rows = try session.rows([loading(windows, of: entry)])
        return try runs(rows[0])[consumer] ?? ReceiptRuns()
    }

    /// The receipts of a user from the first unread event up to an offset, with their neighbours.
    static func loadUnread(
        of consumer: ConsumerID,
        in entry: SubscriptionEntry,
        from first: Int64,
        to end: Int64,
        _ session: Session
    ) throws(EventStreamingError) -> ReceiptRuns {
        let rows = try session.rows(loadUnread) { parameters in
            parameters.add(entry.id)
            parameters.add(consumer.rawValue)
            parameters.add(first)
            parameters.add(end)
        }
        return try runs(rows)[consumer] ?? ReceiptRuns()
    }

    /// Locks the receipts of users, and reads those that overlap or touch the windows, in one round trip.
    static func lockAndLoad(
        _ windows: [Window],
        of consumers: [ConsumerID],
        in entry: SubscriptionEntry,
        _ session: Session
    ) throws(EventStreamingError) -> [ConsumerID: ReceiptRuns] {
        let locking = Command(lockAll) { parameters in
            parameters.add(entry.id)
            parameters.add(consumers.map(\.rawValue))
        }
        let rows = try session.rows([locking, loading(windows, of: entry)])
        return try runs(rows[1])
    }

    private static func runs(_ rows: Rows) throws(EventStreamingError) -> [ConsumerID: ReceiptRuns] {
        var runs: [ConsumerID: [ReceiptRun]] = [:]
        for row in 0..<rows.count {
            runs[try rows.name(row, 0), default: []].append(try run(rows, row))
        }
        return runs.mapValues { ReceiptRuns($0) }
    }

    /// The receipt in a row whose first column is the user.
    static func run(_ rows: Rows, _ row: Int) throws(EventStreamingError) -> ReceiptRun {
        let (first, end) = (rows.int64(row, 1), rows.int64(row, 2))
        guard 0 <= first, first < end, let status = ReadReceipt.Status(number: rows.int64(row, 3)) else {
            throw EventStreamingError(
                .storeDamaged,
                "The database is damaged: a receipt for events \(first) to \(end) is not what this store writes."
            )
        }
        return ReceiptRun(
            first..<end,
            status,
            deliveredAt: Timestamp(nanosecondsSinceEpoch: rows.int64(row, 4)),
            readAt: rows.optionalInt64(row, 5).map { Timestamp(nanosecondsSinceEpoch: $0) },
            deliveries: Int(clamping: rows.int64(row, 6))
        )
    }

    // MARK: - Writing

    private static let forget = Statement(
        "DELETE FROM read_receipts WHERE subscription_id = $1::bigint AND consumer = ANY ($2::text[])"
    )
    private static let delete = Statement(
        """
        DELETE FROM read_receipts r USING unnest($2::text[], $3::bigint[]) AS g (consumer, first_offset)
        WHERE r.subscription_id = $1::bigint AND r.consumer = g.consumer AND r.first_offset = g.first_offset
        """
    )
    private static let put = Statement(
        """
        INSERT INTO read_receipts (
            subscription_id, consumer, first_offset, end_offset, delivered_at, read_at, deliveries, status
        )
        SELECT $1::bigint, * FROM unnest(
            $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]
        )
        ON CONFLICT (subscription_id, consumer, first_offset) DO UPDATE SET
            end_offset = excluded.end_offset, delivered_at = excluded.delivered_at, read_at = excluded.read_at,
            deliveries = excluded.deliveries, status = excluded.status
        """
    )

    /// Writes the rows that differ, in one round trip. The users must be locked.
    ///
    /// - Parameter forgotten: Users whose receipts go, before others of theirs are written.
    static func write(
        _ changes: [(consumer: ConsumerID, changes: ReceiptRunChanges)],
        forgetting forgotten: [ConsumerID] = [],
        of entry: SubscriptionEntry,
        _ session: Session
    ) throws(EventStreamingError) {
        let removed = changes.flatMap { change in change.changes.removed.map { (change.consumer.rawValue, $0) } }
        let written = changes.flatMap { change in change.changes.written.map { (change.consumer.rawValue, $0) } }
        var commands: [Command] = []
        if !forgotten.isEmpty {
            commands.append(
                Command(forget) { parameters in
                    parameters.add(entry.id)
                    parameters.add(forgotten.map(\.rawValue))
                })
        }
        if !removed.isEmpty {
            commands.append(
                Command(delete) { parameters in
                    parameters.add(entry.id)
                    parameters.add(removed.map(\.0))
                    parameters.add(removed.map(\.1))
                })
        }
        if !written.isEmpty {
            commands.append(Command(put) { add(written, of: entry, to: &$0) })
        }
        guard !commands.isEmpty else { return }
        _ = try session.rows(commands)
    }

    private static func add(
        _ written: [(String, ReceiptRun)],
        of entry: SubscriptionEntry,
        to parameters: inout Parameters
    ) {
        parameters.add(entry.id)
        parameters.add(written.map(\.0))
        parameters.add(written.map(\.1.offsets.lowerBound))
        parameters.add(written.map(\.1.offsets.upperBound))
        parameters.add(written.map(\.1.deliveredAt.nanosecondsSinceEpoch))
        parameters.addArray(ofNullable: .int8, written) { writer, row in
            guard let readAt = row.1.readAt else { return false }
            writer.write(readAt.nanosecondsSinceEpoch)
            return true
        }
        parameters.add(written.map { Int64($0.1.deliveries) })
        parameters.add(written.map(\.1.status.number))
    }
}
#endif
