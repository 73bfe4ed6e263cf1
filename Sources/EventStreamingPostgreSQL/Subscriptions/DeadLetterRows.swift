#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Reads the open dead letters of subscriptions. Those whose events were trimmed are gone.
enum DeadLetterRows {
    private static let count = Statement(
        """
        SELECT d.consumer, count(*) FROM dead_letters d
        WHERE d.subscription_id = $1::bigint
            AND d.number >= (SELECT first_offset FROM streams WHERE id = $2::bigint)
            AND d.number <> ALL ($3::bigint[])
        GROUP BY d.consumer
        """
    )
    private static let page = Statement(
        """
        SELECT e."offset", e.timestamp, e.event_version, e.size, e.event_id, e.causation_id, e.event_type,
            e.correlation_id, e.headers, e.event_data
        FROM dead_letters d JOIN events e ON e.stream_id = $2::bigint AND e."offset" = d.number
        WHERE d.subscription_id = $1::bigint AND d.number >= $3::bigint AND d.number < $4::bigint
            AND d.number >= (SELECT first_offset FROM streams WHERE id = $2::bigint)
            AND d.number <> ALL ($6::bigint[])
        ORDER BY d.number LIMIT $5::bigint
        """
    )
    private static let named = Statement(
        """
        SELECT e."offset", e.timestamp, e.event_version, e.size, e.event_id, e.causation_id, e.event_type,
            e.correlation_id, e.headers, e.event_data
        FROM unnest($3::bigint[], $4::bigint[]) AS r(low, high)
            JOIN dead_letters d ON d.subscription_id = $1::bigint AND d.number >= r.low AND d.number < r.high
            JOIN events e ON e.stream_id = $2::bigint AND e."offset" = d.number
        WHERE d.number >= (SELECT first_offset FROM streams WHERE id = $2::bigint)
            AND d.number <> ALL ($5::bigint[])
        ORDER BY d.number
        """
    )
    private static let parked = Statement(
        """
        SELECT partition_key, min(event_offset) FROM dead_letters
        WHERE subscription_id = $1::bigint AND partition_key IS NOT NULL
            AND number >= (SELECT first_offset FROM streams WHERE id = $2::bigint)
            AND number <> ALL ($3::bigint[])
        GROUP BY partition_key
        """
    )
    private static let close = Statement(
        "DELETE FROM dead_letters WHERE subscription_id = $1::bigint AND number = ANY ($2::bigint[])"
    )
    private static let enterIntoAudit = Statement(
        """
        INSERT INTO dead_letter_audit (
            subscription_id, dead_letter, action, event_id, consumer, actor, reason, acted_at
        )
        SELECT $1::bigint, * FROM unnest(
            $2::bigint[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[]
        )
        """
    )
    private static let audit = Statement(
        """
        SELECT number, action, dead_letter, event_id, consumer, actor, reason, acted_at FROM dead_letter_audit
        WHERE subscription_id = $1::bigint AND number >= $2::bigint ORDER BY number LIMIT $3::bigint
        """
    )

    /// How many are open, by the consumer whose position they belong to.
    ///
    /// - Parameter closed: Some that count as closed already.
    static func counts(
        of entry: SubscriptionEntry,
        except closed: [Int64],
        _ session: Session
    ) throws(EventStreamingError) -> [ConsumerID?: Int] {
        let rows = try session.rows(count) { parameters in
            parameters.add(entry.id)
            parameters.add(entry.deadLetterStream.id)
            parameters.add(closed)
        }
        var counts: [ConsumerID?: Int] = [:]
        for row in 0..<rows.count {
            let consumer: ConsumerID? = rows.isNull(row, 0) ? nil : try rows.name(row, 0)
            counts[consumer] = Int(rows.int64(row, 1))
        }
        return counts
    }

    /// The open ones with numbers in `numbers`, in order.
    ///
    /// - Parameter closed: Some that count as closed already.
    static func open(
        of entry: SubscriptionEntry,
        in numbers: Range<Int64>,
        except closed: [Int64] = [],
        limit: Int,
        _ session: Session
    ) throws(EventStreamingError) -> [DeadLetter] {
        let rows = try session.rows(page) { parameters in
            parameters.add(entry.id)
            parameters.add(entry.deadLetterStream.id)
            parameters.add(numbers.lowerBound)
            parameters.add(numbers.upperBound)
            parameters.add(Int64(limit))
            parameters.add(closed)
        }
        return try EventReader.events(rows).compactMap { DeadLetter(record: $0) }
    }

    /// The open ones with numbers in any of the ranges, in order.
    ///
    /// - Parameter closed: Some that count as closed already.
    static func open(
        of entry: SubscriptionEntry,
        in numbers: [Range<Int64>],
        except closed: [Int64],
        _ session: Session
    ) throws(EventStreamingError) -> [DeadLetter] {
        let rows = try session.rows(named) { parameters in
            parameters.add(entry.id)
            parameters.add(entry.deadLetterStream.id)
            parameters.add(numbers.map(\.lowerBound))
            parameters.add(numbers.map(\.upperBound))
            parameters.add(closed)
        }
        return try EventReader.events(rows).compactMap { DeadLetter(record: $0) }
    }

    /// The partition keys of the open ones.
    ///
    /// - Parameter closed: Some that count as closed already.
    static func parkedKeys(
        of entry: SubscriptionEntry,
        except closed: [Int64],
        _ session: Session
    ) throws(EventStreamingError) -> ParkedKeys {
        let rows = try session.rows(parked) { parameters in
            parameters.add(entry.id)
            parameters.add(entry.deadLetterStream.id)
            parameters.add(closed)
        }
        var keys = ParkedKeys()
        for row in 0..<rows.count {
            keys.add(PartitionKey(hash: UInt32(clamping: rows.int64(row, 0))), at: rows.int64(row, 1))
        }
        return keys
    }

    /// Marks dead letters as not open any more, and writes down who did it.
    static func close(
        _ letters: [DeadLetterAuditEntry],
        of entry: SubscriptionEntry,
        _ session: Session
    ) throws(EventStreamingError) {
        let numbers = letters.map(\.deadLetter.rawValue)
        try session.rows(close) { parameters in
            parameters.add(entry.id)
            parameters.add(numbers)
        }
        try session.rows(enterIntoAudit) { parameters in
            parameters.add(entry.id)
            parameters.add(numbers)
            parameters.add(letters.map(\.action.rawValue))
            parameters.add(letters.map(\.event))
            parameters.addArray(ofNullable: .text, letters) { writer, letter in
                guard let consumer = letter.consumer else { return false }
                writer.write(consumer.rawValue)
                return true
            }
            parameters.add(letters.map(\.note.actor))
            parameters.add(letters.map(\.note.reason))
            parameters.add(letters.map(\.time.nanosecondsSinceEpoch))
        }
    }

    /// A page of the audit.
    static func audit(
        of entry: SubscriptionEntry,
        from number: Int64,
        limit: Int,
        _ session: Session
    ) throws(EventStreamingError) -> [DeadLetterAuditEntry] {
        let rows = try session.rows(audit) { parameters in
            parameters.add(entry.id)
            parameters.add(number)
            parameters.add(Int64(limit))
        }
        var entries: [DeadLetterAuditEntry] = []
        for row in 0..<rows.count {
            entries.append(
                DeadLetterAuditEntry(
                    number: rows.int64(row, 0),
                    action: try rows.word(row, 1),
                    deadLetter: StreamOffset(rows.int64(row, 2)),
                    event: rows.id(row, 3),
                    subscription: entry.name,
                    consumer: try rows.isNull(row, 4) ? nil : rows.name(row, 4),
                    note: AuditNote(by: rows.text(row, 5), because: rows.text(row, 6)),
                    time: Timestamp(nanosecondsSinceEpoch: rows.int64(row, 7))
                )
            )
        }
        return entries
    }
}
#endif
