#if PostgreSQL
import EventStreamingCore

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
    private static let close = Statement(
        "DELETE FROM dead_letters WHERE subscription_id = $1::bigint AND number = ANY ($2::bigint[])"
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

    /// Marks dead letters as not open any more.
    static func close(
        _ numbers: [Int64],
        of entry: SubscriptionEntry,
        _ session: Session
    ) throws(EventStreamingError) {
        try session.rows(close) { parameters in
            parameters.add(entry.id)
            parameters.add(numbers)
        }
    }
}
#endif
