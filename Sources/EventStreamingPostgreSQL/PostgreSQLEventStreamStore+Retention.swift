#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore {
    /// Removes the events before `offset`. They are out of sight at once; their rows are deleted in small steps.
    ///
    /// Positions in a persistent stream are not touched here: each moves up with the next call that looks at it.
    public func trim(_ stream: StreamName, before offset: StreamOffset) async throws(EventStreamingError) -> Int {
        let arrival = arrival
        return try await withSession { (session) throws(EventStreamingError) in
            let entry = try arrival.streams.entry(stream, session)
            try arrival.run(in: entry, session)
            return try session.transaction(orThrow: \.eventStreamingError) { (session) throws(EventStreamingError) in
                var row = try StreamRow.lock(entry, session)
                let first = row.first
                let limit = min(offset.rawValue, row.head)
                if entry.type == .ephemeral, first < limit {
                    for subscription in try SubscriptionEntry.lockAll(of: entry.id, arrival.streams, session) {
                        _ = try StreamRow.lap(subscription, before: limit, session)
                    }
                }
                try row.trim(before: limit, session)
                try row.save(session)
                // What was left at the positions may have been finished already.
                try row.trimFinished(session)
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
        let (directory, arrival) = (directory, arrival)
        let now = clock.now
        return try await withSession { (session) throws(EventStreamingError) in
            let entry = try directory.entry(stream, session)
            try arrival.run(in: entry, session)
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

    // MARK: - Space

    /// How many offsets of a stream are deleted in one transaction, which holds the stream's lock meanwhile; and how many
    /// such transactions follow each other.
    private static let deletedAtOnce: Int64 = 5000
    private static let deletions = 40
    private static let deleteTrimmed = Statement("SELECT delete_trimmed($1::bigint)")
    /// Whether there are such rows, and whether this user may drop partitions: only their owner may.
    private static let hasTrimmed = Statement(
        """
        SELECT EXISTS (SELECT FROM streams WHERE deleted_before < first_offset),
            (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'events'::regclass)
        """
    )
    private static let dropPartitions = Statement("SELECT drop_event_partitions()")

    /// Removes the rows of events that were trimmed: whole partitions where nothing is left, otherwise in small steps, so
    /// that nobody waits for long.
    func giveBackSpace() async throws(EventStreamingError) {
        let (isNeeded, mayDrop) = try await withSession { (session) throws(EventStreamingError) in
            let rows = try session.rows(Self.hasTrimmed)
            return (rows.bool(0, 0), rows.bool(0, 1))
        }
        guard isNeeded else { return }
        if mayDrop {
            try await withSession { (session) throws(EventStreamingError) in
                try Self.dropEmptyPartitions(session)
            }
        }
        for _ in 0..<Self.deletions {
            let count = try await withSession { (session) throws(EventStreamingError) in
                try session.rows(Self.deleteTrimmed) { $0.add(Self.deletedAtOnce) }.int64(0, 0)
            }
            if count == 0 { return }
        }
    }

    private static func dropEmptyPartitions(_ session: Session) throws(EventStreamingError) {
        do throws(DatabaseError) {
            try session.transaction { (session) throws(DatabaseError) in
                // Whoever uses the table comes first; there will be another time.
                try session.execute("SET LOCAL lock_timeout = '100ms'")
                try session.query(dropPartitions)
            }
        } catch {
            guard error.sqlState == "55P03" || error.isConflict else { throw error.eventStreamingError }
        }
    }
}
#endif
