#if PostgreSQL
import EventStreamingCore

/// An event whose place in its stream is decided.
struct EventInsertion: Sendable {
    let stream: Int64
    let offset: Int64
    let timestamp: Int64
    let event: NewEvent

    private static let statement = Statement(
        """
        INSERT INTO events (
            stream_id, "offset", timestamp, event_version, size, event_id, causation_id, event_type, correlation_id,
            headers, event_data
        )
        SELECT * FROM unnest(
            $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::uuid[], $7::uuid[], $8::text[],
            $9::text[], $10::text[], $11::bytea[]
        )
        """
    )

    /// Inserts events. The locks of their streams must be held.
    static func insert(_ insertions: [EventInsertion], _ session: Session) throws(EventStreamingError) {
        guard !insertions.isEmpty else { return }
        try session.rows(statement) { parameters in
            parameters.add(insertions.map(\.stream))
            parameters.add(insertions.map(\.offset))
            parameters.add(insertions.map(\.timestamp))
            EventWriter.add(insertions.map(\.event), to: &parameters)
        }
    }
}
#endif
