#if PostgreSQL
import EventStreamingCore

/// The marks of processed events, and the locks.
enum ProcessedRows {
    private static let mark = Statement("SELECT * FROM mark_processed($1::text, $2::uuid[], $3::bigint)")
    private static let find = Statement("SELECT * FROM find_processed($1::text, $2::uuid[])")
    private static let forget = Statement("SELECT forget_processed($1::text, $2::uuid[])")
    private static let forgetAll = Statement("SELECT forget_processed($1::text, NULL)")
    private static let acquire = Statement(
        """
        SELECT * FROM acquire_locks(
            $1::text[], $2::bigint[], $3::bigint[], $4::bigint, $5::bigint, $6::bigint
        )
        """
    )
    private static let claim = Statement(
        """
        SELECT * FROM claim_events(
            $1::text, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::text, $8::uuid[]
        )
        """
    )
    private static let release = Statement(
        "SELECT release_locks($1::text[], $2::bigint[], $3::bigint[], $4::bigint)"
    )
    private static let clean = Statement("SELECT marks, locks FROM clean_processed($1::bigint, $2::bigint, $3::bigint)")

    // MARK: - Marks

    /// - Returns: Those that were not marked before.
    static func mark(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp,
        _ session: Session
    ) throws(EventStreamingError) -> Set<MessageID> {
        ids(
            try change(session, mark) { parameters in
                parameters.add(processor.rawValue)
                parameters.add(events)
                parameters.add(time.nanosecondsSinceEpoch)
            })
    }

    static func marked(
        _ events: [MessageID],
        by processor: ProcessorID,
        _ session: Session
    ) throws(EventStreamingError) -> Set<MessageID> {
        ids(
            try session.rows(find) { parameters in
                parameters.add(processor.rawValue)
                parameters.add(events)
            })
    }

    /// - Returns: How many marks there were.
    static func forget(
        _ events: [MessageID]?,
        by processor: ProcessorID,
        _ session: Session
    ) throws(EventStreamingError) -> Int {
        let rows = try change(session, events == nil ? forgetAll : forget) { parameters in
            parameters.add(processor.rawValue)
            if let events {
                parameters.add(events)
            }
        }
        return Int(clamping: rows.int64(0, 0))
    }

    // MARK: - Locks

    /// Takes locks.
    ///
    /// - Parameters:
    ///   - token: Whose they are.
    ///   - now: The time; `nil` for the server's.
    static func acquire(
        _ keys: [IdempotencyKey],
        for duration: Duration,
        token: UInt64,
        at now: Int64?,
        _ session: Session
    ) throws(EventStreamingError) -> [IdempotencyLock] {
        // In order of their names: the same for everybody, so that nobody waits in a circle.
        let order = keys.indices.sorted { keys[$0].name < keys[$1].name }
        let rows = try change(session, acquire) { parameters in
            parameters.add(order.map { keys[$0].name })
            parameters.add(order.map { keys[$0].offsets.lowerBound.rawValue })
            parameters.add(order.map { keys[$0].offsets.upperBound.rawValue })
            parameters.add(Int64(bitPattern: token))
            parameters.add(duration.clampedNanoseconds)
            parameters.add(now)
        }
        let places = (0..<rows.count).map { Int(clamping: rows.int64($0, 0)) - 1 }
        let taken = places.filter { order.indices.contains($0) }.map { order[$0] }.sorted()
        return taken.map { IdempotencyLock(key: keys[$0], token: token) }
    }

    static func claim(
        _ events: [MessageID],
        by processor: ProcessorID,
        locking key: IdempotencyKey,
        for duration: Duration,
        token: UInt64,
        at now: Int64?,
        _ session: Session
    ) throws(EventStreamingError) -> ProcessingClaim? {
        let rows = try change(session, claim) { parameters in
            parameters.add(key.name)
            parameters.add(key.offsets.lowerBound.rawValue)
            parameters.add(key.offsets.upperBound.rawValue)
            parameters.add(Int64(bitPattern: token))
            parameters.add(duration.clampedNanoseconds)
            parameters.add(now)
            parameters.add(processor.rawValue)
            parameters.add(events)
        }
        guard rows.count > 0 else { return nil }
        return ProcessingClaim(lock: IdempotencyLock(key: key, token: token), processed: ids(rows))
    }

    /// - Returns: How many were still held.
    static func release(
        _ locks: [IdempotencyLock],
        at now: Int64?,
        _ session: Session
    ) throws(EventStreamingError) -> Int {
        let locks = locks.sorted { $0.key.name < $1.key.name }
        let rows = try change(session, release) { parameters in
            parameters.add(locks.map(\.key.name))
            parameters.add(locks.map(\.key.offsets.lowerBound.rawValue))
            parameters.add(locks.map { Int64(bitPattern: $0.token) })
            parameters.add(now)
        }
        return Int(clamping: rows.int64(0, 0))
    }

    static func clean(
        before time: Timestamp,
        limit: Int,
        at now: Int64?,
        _ session: Session
    ) throws(EventStreamingError) -> IdempotencyCleanup {
        let rows = try change(session, clean) { parameters in
            parameters.add(time.nanosecondsSinceEpoch)
            parameters.add(Int64(clamping: limit))
            parameters.add(now)
        }
        return IdempotencyCleanup(marks: Int(clamping: rows.int64(0, 0)), locks: Int(clamping: rows.int64(0, 1)))
    }

    // MARK: - Parts

    private static func change(
        _ session: Session,
        _ statement: Statement,
        _ fill: (inout Parameters) -> Void
    ) throws(EventStreamingError) -> Rows {
        var parameters = Parameters()
        fill(&parameters)
        do throws(DatabaseError) {
            return try session.change(statement, parameters)
        } catch {
            throw error.eventStreamingError
        }
    }

    private static func ids(_ rows: Rows) -> Set<MessageID> {
        var ids = Set<MessageID>(minimumCapacity: rows.count)
        for row in 0..<rows.count {
            if let id = rows.optionalID(row, 0) {
                ids.insert(id)
            }
        }
        return ids
    }
}
#endif
