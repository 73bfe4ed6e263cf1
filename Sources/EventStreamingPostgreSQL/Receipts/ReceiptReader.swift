#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Looks at the receipts of a subscription, each time with one statement: nobody is kept from anything.
enum ReceiptReader {
    private static let count = Statement(
        """
        SELECT (
            SELECT coalesce(sum(r.end_offset - greatest(r.first_offset, s.first_offset)), 0)::bigint
            FROM read_receipts r
            WHERE r.subscription_id = c.subscription_id AND r.consumer = c.consumer AND r.status <= 2
                AND r.end_offset > s.first_offset
        )
        FROM consumer_offsets c, streams s
        WHERE c.subscription_id = $1::bigint AND c.consumer = $2::text AND s.id = $3::bigint
        """
    )
    // The row before the offset may reach beyond it.
    private static let unread = Statement(
        """
        SELECT c.consumer, r.first_offset, r.end_offset, r.status::bigint, r.delivered_at, r.read_at,
            r.deliveries::bigint, s.first_offset
        FROM consumer_offsets c JOIN streams s ON s.id = $3::bigint
        LEFT JOIN LATERAL (
            SELECT * FROM read_receipts
            WHERE subscription_id = c.subscription_id AND consumer = c.consumer AND status <= 2
                AND end_offset > greatest($4::bigint, s.first_offset)
                AND first_offset >= coalesce((
                    SELECT p.first_offset FROM read_receipts p
                    WHERE p.subscription_id = c.subscription_id AND p.consumer = c.consumer
                        AND p.first_offset < greatest($4::bigint, s.first_offset)
                    ORDER BY p.first_offset DESC LIMIT 1
                ), greatest($4::bigint, s.first_offset))
            ORDER BY first_offset LIMIT $5::bigint
        ) r ON true
        WHERE c.subscription_id = $1::bigint AND c.consumer = $2::text
        ORDER BY r.first_offset
        """
    )
    private static let who = Statement(
        """
        SELECT c.consumer, r.first_offset, r.end_offset, r.status::bigint, r.delivered_at, r.read_at,
            r.deliveries::bigint
        FROM consumer_offsets c JOIN streams s ON s.id = $2::bigint
        CROSS JOIN LATERAL (
            SELECT * FROM read_receipts
            WHERE subscription_id = c.subscription_id AND consumer = c.consumer AND first_offset <= $3::bigint
            ORDER BY first_offset DESC LIMIT 1
        ) r
        WHERE c.subscription_id = $1::bigint AND c.consumer > $4::text AND r.end_offset > $3::bigint
            AND s.first_offset <= $3::bigint
        ORDER BY c.consumer LIMIT $5::bigint
        """
    )
    private static let overdue = Statement(
        """
        SELECT r.consumer, r.first_offset, r.end_offset, r.status::bigint, r.delivered_at, r.read_at,
            r.deliveries::bigint, s.first_offset
        FROM streams s JOIN read_receipts r ON r.subscription_id = $1::bigint AND r.status = 1
            AND r.end_offset > s.first_offset
            AND r.delivered_at <= coalesce($3::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000)
                - $4::bigint
        WHERE s.id = $2::bigint
        ORDER BY r.delivered_at, r.consumer, r.first_offset LIMIT $5::bigint
        """
    )

    /// How many events a user has not read.
    ///
    /// - Throws: `unknownConsumer`.
    static func unreadCount(
        of consumer: ConsumerID,
        in entry: SubscriptionEntry,
        _ session: Session
    ) throws(EventStreamingError) -> Int {
        let rows = try session.rows(count) { parameters in
            parameters.add(entry.id)
            parameters.add(consumer.rawValue)
            parameters.add(entry.stream.id)
        }
        guard rows.count > 0 else { throw .unknownConsumer(consumer, of: entry.name) }
        return Int(clamping: rows.int64(0, 0))
    }

    /// At most `limit` unread events of a user from an offset on.
    ///
    /// - Throws: `unknownConsumer`.
    static func unread(
        of consumer: ConsumerID,
        in entry: SubscriptionEntry,
        from offset: Int64,
        limit: Int,
        _ session: Session
    ) throws(EventStreamingError) -> [ReceiptRun] {
        let rows = try session.rows(unread) { parameters in
            parameters.add(entry.id)
            parameters.add(consumer.rawValue)
            parameters.add(entry.stream.id)
            parameters.add(offset)
            parameters.add(Int64(limit))
        }
        guard rows.count > 0 else { throw .unknownConsumer(consumer, of: entry.name) }
        // One row without a receipt where there is none.
        guard !rows.isNull(0, 1) else { return [] }
        var runs: [ReceiptRun] = []
        for row in 0..<rows.count {
            runs.append(try ReceiptRows.run(rows, row))
        }
        return ReceiptRuns(runs).unread(in: max(offset, rows.int64(0, 7))..<Int64.max, limit: limit)
    }

    /// Who has a receipt for an event, by name.
    static func receipts(
        for offset: Int64,
        in entry: SubscriptionEntry,
        after consumer: ConsumerID?,
        limit: Int,
        _ session: Session
    ) throws(EventStreamingError) -> [(ConsumerID, ReceiptRun)] {
        let rows = try session.rows(who) { parameters in
            parameters.add(entry.id)
            parameters.add(entry.stream.id)
            parameters.add(offset)
            parameters.add(consumer?.rawValue ?? "")
            parameters.add(Int64(limit))
        }
        var found: [(ConsumerID, ReceiptRun)] = []
        for row in 0..<rows.count {
            guard let run = ReceiptRuns([try ReceiptRows.run(rows, row)]).run(at: offset) else { continue }
            found.append((try rows.name(row, 0), run))
        }
        return found
    }

    /// What was delivered longer ago than a time and is unread, the oldest first; at most `limit` events.
    ///
    /// - Parameter now: The time; `nil` for the server's.
    static func overdue(
        in entry: SubscriptionEntry,
        after timeout: Duration,
        at now: Timestamp?,
        limit: Int,
        _ session: Session
    ) throws(EventStreamingError) -> [OverdueReceipt] {
        let rows = try session.rows(overdue) { parameters in
            parameters.add(entry.id)
            parameters.add(entry.stream.id)
            parameters.add(now?.nanosecondsSinceEpoch)
            parameters.add(timeout.clampedNanoseconds)
            parameters.add(Int64(limit))
        }
        var found: [OverdueReceipt] = []
        var missing = limit
        for row in 0..<rows.count where missing > 0 {
            let kept = ReceiptRuns([try ReceiptRows.run(rows, row)])
                .unread(in: rows.int64(row, 7)..<Int64.max, limit: missing)
            for run in kept {
                found.append(OverdueReceipt(try rows.name(row, 0), run))
                missing -= run.offsets.count
            }
        }
        return found
    }
}
#endif
