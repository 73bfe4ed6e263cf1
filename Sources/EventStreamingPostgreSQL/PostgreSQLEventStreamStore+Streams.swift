#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore {
    /// Bytes only.
    public var payloadForm: PayloadForm { .encoded }

    private static let create = Statement(
        """
        INSERT INTO streams (
            name, type, capacity, overflow, maximum_age, maximum_count, maximum_bytes, partition_end
        ) VALUES (
            $1::text, $2::text, $3::bigint, $4::text, $5::bigint, $6::bigint, $7::bigint, make_event_partitions(0, 0)
        )
        ON CONFLICT (name) DO NOTHING
        """
    )
    private static let change = Statement(
        """
        UPDATE streams SET capacity = $3::bigint, overflow = $4::text, maximum_age = $5::bigint,
            maximum_count = $6::bigint, maximum_bytes = $7::bigint
        WHERE name = $1::text AND type = $2::text AND (
            capacity IS DISTINCT FROM $3::bigint OR overflow <> $4::text OR maximum_age IS DISTINCT FROM $5::bigint
            OR maximum_count IS DISTINCT FROM $6::bigint OR maximum_bytes IS DISTINCT FROM $7::bigint
        )
        """
    )

    /// Creates the stream, or does nothing when it exists with the same definition.
    public func createStream(_ definition: StreamDefinition) async throws(EventStreamingError) {
        try Validation.check(definition)
        try definition.checkRetention()
        let directory = directory
        try await withSession { (session) throws(EventStreamingError) in
            try session.transaction(orThrow: \.eventStreamingError) { (session) throws(EventStreamingError) in
                _ = try Self.ensureStream(definition, directory, session)
            }
        }
    }

    /// Creates the stream, or changes what may be changed of one of that name.
    @discardableResult
    static func ensureStream(
        _ definition: StreamDefinition,
        changesExisting: Bool = true,
        _ directory: StreamDirectory,
        _ session: Session
    ) throws(EventStreamingError) -> StreamDirectory.Entry {
        var isNew = false
        if directory.known(definition.name) == nil {
            do throws(EventStreamingError) {
                isNew = try session.rows(create) { add(definition, to: &$0) }.affected > 0
            } catch {
                throw error.explainingPartitions(from: 0, to: 0)
            }
        }
        // Known to this instance only when it is there for good: this transaction may yet be rolled back.
        let entry =
            try isNew ? directory.freshEntry(definition.name, session) : directory.entry(definition.name, session)
        guard entry.type == definition.type else {
            throw EventStreamingError(
                .streamConflict,
                "Stream '\(definition.name)' exists already and is \(entry.type), not \(definition.type)."
            )
        }
        if !isNew, changesExisting {
            try session.rows(change) { add(definition, to: &$0) }
            directory.note(definition.overflow, of: entry)
        }
        return entry
    }

    private static func add(_ definition: StreamDefinition, to parameters: inout Parameters) {
        let retention = definition.retention
        parameters.add(definition.name.rawValue)
        parameters.add(definition.type.rawValue)
        parameters.add(definition.capacity.map { Int64($0) })
        parameters.add(definition.overflow.rawValue)
        parameters.add(retention.maximumAge.map { max(1, $0.clampedNanoseconds) })
        parameters.add(retention.maximumCount.map { Int64($0) })
        parameters.add(retention.maximumBytes.map { Int64($0) })
    }

    // MARK: - Appending

    /// Appends the events to one stream: all of them, contiguous and in order, or none. Shares its commit with other
    /// appends that are made at the same time.
    public func append(_ append: StreamAppend) async throws(EventStreamingError) -> AppendResult {
        let pending = try PendingAppend(append)
        guard let outcome = try await appends.submit([pending]).first else {
            throw EventStreamingError(.storeUnavailable, "The append was not decided.")
        }
        return try outcome.get()
    }

    /// Makes many appends in one commit.
    public func append(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        var results: [AppendGroup.Outcome?] = []
        var pending: [PendingAppend] = []
        for append in group {
            do throws(EventStreamingError) {
                pending.append(try PendingAppend(append))
                results.append(nil)
            } catch {
                results.append(.failure(error))
            }
        }
        guard !pending.isEmpty else { return results.compactMap { $0 } }
        var outcomes: ArraySlice<AppendGroup.Outcome>
        do throws(EventStreamingError) {
            outcomes = try await appends.submit(pending)[...]
        } catch {
            outcomes = Array(repeating: .failure(error), count: pending.count)[...]
        }
        return results.map { $0 ?? outcomes.popFirst() ?? .failure(EventStreamingError(.storeUnavailable, "Lost.")) }
    }

    // MARK: - Reading

    private static let bounds = Statement("SELECT first_offset, head FROM streams WHERE id = $1::bigint")
    private static let forward = Statement(
        """
        SELECT "offset", timestamp, event_version, size, event_id, causation_id, event_type, correlation_id, headers,
            event_data
        FROM events WHERE stream_id = $1::bigint AND "offset" >= $2::bigint AND "offset" < $3::bigint
        ORDER BY "offset"
        """
    )
    private static let backward = Statement(
        """
        SELECT "offset", timestamp, event_version, size, event_id, causation_id, event_type, correlation_id, headers,
            event_data
        FROM events WHERE stream_id = $1::bigint
            AND "offset" <= least($2::bigint, (SELECT head FROM streams WHERE id = $1::bigint) - 1)
            AND "offset" >= (SELECT first_offset FROM streams WHERE id = $1::bigint)
        ORDER BY "offset" DESC LIMIT $3::bigint
        """
    )

    /// Reads a page of events, in one round trip.
    public func read(
        _ stream: StreamName,
        from offset: StreamOffset,
        direction: ReadDirection,
        limit: Int
    ) async throws(EventStreamingError) -> [StoredEvent] {
        let arrival = arrival
        return try await withSession { (session) throws(EventStreamingError) in
            let entry = try Self.arrive(in: stream, arrival, session)
            try Validation.checkLimit(limit)
            switch direction {
            case .forward:
                let end = offset.advanced(by: limit)
                return try Self.readForward(entry, offset.rawValue..<end.rawValue, session)
            case .backward:
                return try EventReader.events(
                    session.rows(Self.backward) { parameters in
                        parameters.add(entry.id)
                        parameters.add(offset.rawValue)
                        parameters.add(Int64(limit))
                    }
                )
            }
        }
    }

    /// The events of a range of offsets, as far as there are any.
    ///
    /// The stream's bounds are read before the events, in the same round trip. So an event that was trimmed in between
    /// can only be missing from the beginning, which shows; then both are read again.
    static func readForward(
        _ entry: StreamDirectory.Entry,
        _ offsets: Range<Int64>,
        _ session: Session
    ) throws(EventStreamingError) -> [StoredEvent] {
        while true {
            let results = try session.rows([
                Command(Self.bounds) { $0.add(entry.id) },
                Command(Self.forward) { parameters in
                    parameters.add(entry.id)
                    parameters.add(offsets.lowerBound)
                    parameters.add(offsets.upperBound)
                },
            ])
            let (bounds, rows) = (results[0], results[1])
            guard bounds.count > 0 else { throw .unknownStream(entry.name) }
            let (first, head) = (bounds.int64(0, 0), bounds.int64(0, 1))
            guard first <= offsets.lowerBound else {
                throw EventStreamingError(
                    .offsetTrimmed,
                    "Stream '\(entry.name)' no longer has the events from \(offsets.lowerBound) on; its oldest is at "
                        + "\(first)."
                )
            }
            if rows.count > 0, rows.int64(0, 0) == offsets.lowerBound {
                return try EventReader.events(rows)
            }
            if offsets.lowerBound >= head, rows.count == 0 { return [] }
        }
    }

    // MARK: - Describing

    private static let metadata = Statement(
        """
        SELECT s.type, s.first_offset, s.head, s.dropped, s.bytes, (
            SELECT e.timestamp FROM events e
            WHERE e.stream_id = s.id AND e."offset" = s.first_offset AND s.first_offset < s.head
        ), s.maximum_age, s.maximum_count, s.maximum_bytes FROM streams s WHERE s.id = $1::bigint
        """
    )

    /// The stream's state.
    public func metadata(of stream: StreamName) async throws(EventStreamingError) -> StreamMetadata {
        let arrival = arrival
        return try await withSession { (session) throws(EventStreamingError) in
            let entry = try Self.arrive(in: stream, arrival, session)
            let rows = try session.rows(Self.metadata) { $0.add(entry.id) }
            guard rows.count > 0 else { throw .unknownStream(stream) }
            return StreamMetadata(
                name: stream,
                type: entry.type,
                first: StreamOffset(rows.int64(0, 1)),
                head: StreamOffset(rows.int64(0, 2)),
                dropped: Int(rows.int64(0, 3)),
                bytes: Int(rows.int64(0, 4)),
                oldest: rows.optionalInt64(0, 5).map { Timestamp(nanosecondsSinceEpoch: $0) },
                retention: Self.retention(rows, from: 6)
            )
        }
    }

    private static func retention(_ rows: Rows, from column: Int) -> RetentionPolicy {
        RetentionPolicy(
            maximumAge: rows.optionalInt64(0, column).map { .nanoseconds($0) },
            maximumCount: rows.optionalInt64(0, column + 1).map { Int($0) },
            maximumBytes: rows.optionalInt64(0, column + 2).map { Int($0) }
        )
    }

    private static let offsetOf = Statement(
        """
        SELECT e."offset" FROM events e JOIN streams s ON s.id = e.stream_id
        WHERE e.stream_id = $1::bigint AND e.event_id = $2::uuid AND e."offset" >= s.first_offset
        """
    )
    private static let offsetAt = Statement(
        """
        SELECT offset_at(id, first_offset, head, $2::bigint) FROM streams WHERE id = $1::bigint
        """
    )

    /// Resolves a position to the offset where reading would begin now; at most the stream's head.
    public func offset(
        of position: StartPosition,
        in stream: StreamName
    ) async throws(EventStreamingError) -> StreamOffset {
        let arrival = arrival
        return try await withSession { (session) throws(EventStreamingError) in
            let entry = try Self.arrive(in: stream, arrival, session)
            return StreamOffset(try Self.offset(of: position, in: entry, session))
        }
    }

    static func offset(
        of position: StartPosition,
        in entry: StreamDirectory.Entry,
        _ session: Session
    ) throws(EventStreamingError) -> Int64 {
        let rows: Rows
        if case .event(let id) = position {
            rows = try session.rows(offsetOf) { parameters in
                parameters.add(entry.id)
                parameters.add(Optional(id))
            }
            guard rows.count > 0 else { throw .unknownEvent(id, in: entry.name) }
        } else if case .timestamp(let time) = position {
            rows = try session.rows(offsetAt) { parameters in
                parameters.add(entry.id)
                parameters.add(time.nanosecondsSinceEpoch)
            }
        } else {
            rows = try session.rows(bounds) { $0.add(entry.id) }
        }
        guard rows.count > 0 else { throw .unknownStream(entry.name) }
        switch position {
        case .beginning, .timestamp, .event: return rows.int64(0, 0)
        case .latest: return rows.int64(0, 1)
        case .offset(let offset): return min(max(offset.rawValue, rows.int64(0, 0)), rows.int64(0, 1))
        }
    }

    /// The stream, when everything has ended that decides where it begins now.
    private static func arrive(
        in stream: StreamName,
        _ arrival: Arrival,
        _ session: Session
    ) throws(EventStreamingError) -> StreamDirectory.Entry {
        let entry = try arrival.streams.entry(stream, session)
        if entry.type == .ephemeral {
            try arrival.run(in: entry, session)
        }
        return entry
    }

    // MARK: - News

    /// Instances tell each other, but what they say can get lost with a connection.
    public var polling: PollingPolicy? { options.polling }

    /// Begins to tell `observer` about changes. Holds it weakly.
    public func addObserver(_ observer: any StreamObserver) {
        observers.add(observer)
        news.hints?.start()
    }
}
#endif
