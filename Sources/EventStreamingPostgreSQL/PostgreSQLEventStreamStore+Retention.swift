#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore {
    /// Removes the events before `offset`. They are out of sight at once; their rows are deleted in small steps.
    ///
    /// Positions are not touched here: each moves up with the next call that looks at it.
    public func trim(_ stream: StreamName, before offset: StreamOffset) async throws(EventStreamingError) -> Int {
        let directory = directory
        return try await withSession { (session) throws(EventStreamingError) in
            let entry = try directory.entry(stream, session)
            return try session.transaction(orThrow: \.eventStreamingError) { (session) throws(EventStreamingError) in
                var row = try StreamRow.lock(entry, session)
                let first = row.first
                try row.trim(before: offset.rawValue, session)
                try row.save(session)
                return Int(row.first - first)
            }
        }
    }

    private static let limit = Statement(
        """
        SELECT greatest(
            first_offset,
            head - maximum_count,
            offset_at(id, first_offset, head, $2::bigint - maximum_age),
            CASE WHEN maximum_bytes IS NOT NULL
                THEN offset_after_bytes(id, first_offset, head, bytes - maximum_bytes) END
        ) FROM streams WHERE id = $1::bigint
        """
    )

    /// Removes what the retention policy asks for. Costs a look at every event that is removed because of its size.
    public func applyRetention(to stream: StreamName) async throws(EventStreamingError) -> RetentionResult {
        let directory = directory
        let now = clock.now
        return try await withSession { (session) throws(EventStreamingError) in
            let entry = try directory.entry(stream, session)
            return try session.transaction(orThrow: \.eventStreamingError) { (session) throws(EventStreamingError) in
                var row = try StreamRow.lock(entry, session)
                let limit = try session.rows(Self.limit) { parameters in
                    parameters.add(entry.id)
                    parameters.add(now.nanosecondsSinceEpoch)
                }.int64(0, 0)
                return try Self.retain(&row, from: limit, directory, session)
            }
        }
    }

    private static func retain(
        _ row: inout StreamRow,
        from limit: Int64,
        _ directory: StreamDirectory,
        _ session: Session
    ) throws(EventStreamingError) -> RetentionResult {
        let first = row.first
        guard limit > first else {
            return RetentionResult(removed: StreamOffset(first)..<StreamOffset(first))
        }
        var missed: [MissedEvents] = []
        for subscription in try SubscriptionEntry.lockAll(of: row.entry.id, directory, session) {
            let count = try StreamRow.lap(subscription, before: limit, session).count(in: first..<limit)
            if count > 0 {
                missed.append(MissedEvents(subscription: subscription.name, count: count))
            }
        }
        try row.trim(before: limit, session)
        try row.save(session)
        return RetentionResult(
            removed: StreamOffset(first)..<StreamOffset(limit),
            missed: missed.sorted { $0.subscription < $1.subscription }
        )
    }
}
#endif
