#if PostgreSQL
import EventStreamingCore

extension StreamRow {
    private static let size = Statement(
        """
        SELECT least(coalesce(sum(coalesce(size, length(event_data))), 0), 9223372036854775807)::bigint FROM events
        WHERE stream_id = $1::bigint AND "offset" >= $2::bigint AND "offset" < $3::bigint
        """
    )

    /// Moves the beginning of the stream up to `offset`; the rows before it are deleted later, in small steps.
    mutating func trim(before offset: Int64, _ session: Session) throws(EventStreamingError) {
        let limit = min(offset, head)
        guard limit > first else { return }
        if limit == head {
            bytes = 0
        } else {
            let removed = try session.rows(Self.size) { parameters in
                parameters.add(entry.id)
                parameters.add(first)
                parameters.add(limit)
            }.int64(0, 0)
            bytes = max(0, bytes - removed)
        }
        first = limit
    }
}
#endif
