#if PostgreSQL
import EventStreamingCore

/// The row of a stream, as it is while its lock is held.
struct StreamRow: Sendable {
    let entry: StreamDirectory.Entry
    var capacity: Int64?
    var overflow: OverflowPolicy
    var first: Int64
    var head: Int64
    var partitionEnd: Int64
    var dropped: Int64
    var bytes: Int64
    var lastTimestamp: Int64
    var positions: Int64
    var sealedID: MessageID?
    var newestID: MessageID?

    var count: Int64 { head - first }

    /// In order of the numbers, so that two groups never wait for each other.
    private static let lockAll = Statement(
        """
        SELECT id, capacity, overflow, first_offset, head, partition_end, dropped, bytes, last_timestamp, positions,
            sealed_event_id, newest_event_id
        FROM streams WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
        """
    )
    private static let update = Statement(
        """
        UPDATE streams SET first_offset = $2::bigint, head = $3::bigint, partition_end = $4::bigint,
            dropped = $5::bigint, bytes = $6::bigint, last_timestamp = $7::bigint, sealed_event_id = $8::uuid,
            newest_event_id = $9::uuid, positions = $10::bigint
        WHERE id = $1::bigint
        """
    )

    private static let makePartitions = Statement("SELECT make_event_partitions($1::bigint, $2::bigint)")

    private init(_ entry: StreamDirectory.Entry, _ rows: Rows, _ row: Int) {
        self.entry = entry
        capacity = rows.optionalInt64(row, 1)
        overflow = OverflowPolicy(rawValue: rows.text(row, 2)) ?? .reject
        first = rows.int64(row, 3)
        head = rows.int64(row, 4)
        partitionEnd = rows.int64(row, 5)
        dropped = rows.int64(row, 6)
        bytes = rows.int64(row, 7)
        lastTimestamp = rows.int64(row, 8)
        positions = rows.int64(row, 9)
        sealedID = rows.optionalID(row, 10)
        newestID = rows.optionalID(row, 11)
    }

    /// Locks the rows of streams until the transaction ends.
    static func lock(
        _ entries: [StreamDirectory.Entry],
        _ session: Session
    ) throws(EventStreamingError) -> [Int64: StreamRow] {
        let rows = try session.rows(lockAll) { $0.add(entries.map(\.id)) }
        var result: [Int64: StreamRow] = [:]
        for row in 0..<rows.count {
            let id = rows.int64(row, 0)
            if let entry = entries.first(where: { $0.id == id }) {
                result[id] = StreamRow(entry, rows, row)
            }
        }
        return result
    }

    /// Locks the row of one stream until the transaction ends.
    static func lock(_ entry: StreamDirectory.Entry, _ session: Session) throws(EventStreamingError) -> StreamRow {
        guard let row = try lock([entry], session)[entry.id] else { throw .unknownStream(entry.name) }
        return row
    }

    /// Writes the row down.
    func save(_ session: Session) throws(EventStreamingError) {
        try session.rows(Self.update) { parameters in
            parameters.add(entry.id)
            parameters.add(first)
            parameters.add(head)
            parameters.add(partitionEnd)
            parameters.add(dropped)
            parameters.add(bytes)
            parameters.add(lastTimestamp)
            parameters.add(sealedID)
            parameters.add(newestID)
            parameters.add(positions)
        }
    }

    // MARK: - Changing

    /// Takes account of events after the head. Where the head comes into another partition, the ids so far are sealed.
    mutating func append(
        _ events: [NewEvent],
        at time: Timestamp,
        _ session: Session
    ) throws(EventStreamingError) {
        lastTimestamp = max(lastTimestamp, time.nanosecondsSinceEpoch)
        let newHead = head + Int64(events.count)
        if newHead > partitionEnd {
            sealedID = Self.greatest(newestID, events.lazy.map(\.id).max())
            do throws(EventStreamingError) {
                partitionEnd = try session.rows(Self.makePartitions) { parameters in
                    parameters.add(head)
                    parameters.add(newHead - 1)
                }.int64(0, 0)
            } catch {
                throw error.explainingPartitions(from: head, to: newHead - 1)
            }
        }
        head = newHead
        for event in events {
            bytes = bytes.addingReportingOverflow(Int64(event.size)).overflow ? .max : bytes + Int64(event.size)
        }
        newestID = Self.greatest(newestID, events.lazy.map(\.id).max())
    }

    private static func greatest(_ left: MessageID?, _ right: MessageID?) -> MessageID? {
        guard let left, let right else { return left ?? right }
        return max(left, right)
    }
}

extension EventStreamingError {
    /// Says what to do where the next partition is missing and the database user may not make it.
    func explainingPartitions(from first: Int64, to last: Int64) -> EventStreamingError {
        guard let error = underlying as? DatabaseError, error.isMissingPrivilege else { return self }
        return EventStreamingError(
            .invalidConfiguration,
            "Events need a new partition, which is a table, and the database user may not make tables. Let the owner of the "
                + "tables run SELECT make_event_partitions(\(first), \(last)) with the schema as search_path, best for "
                + "many more offsets, or let the service's user own them. (\(error.message))",
            underlying: error
        )
    }
}
#endif
