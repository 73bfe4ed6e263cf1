#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

extension AppendGroup {
    /// Appends to one persistent stream: the change of its row gives out the offsets, nothing is joined.
    ///
    /// This is what appending mostly is, and the server's time for it is little more than an insert's: no lock is taken
    /// before the change, as there is no other row to wait for, and the plan is one that the server keeps.
    private static let oneStream = Statement(
        """
        WITH changed AS (
            UPDATE streams SET
                head = head + $2::bigint,
                bytes = bytes + $4::bigint,
                last_timestamp = greatest(last_timestamp, $7::bigint),
                newest_event_id = greatest(newest_event_id, $6::uuid)
            WHERE id = $1::bigint AND type = 'persistent'
                AND ($3::bigint IS NULL OR head = $3::bigint)
                AND head + $2::bigint <= partition_end
                AND (sealed_event_id IS NULL OR $5::uuid > sealed_event_id)
                AND (capacity IS NULL OR head - first_offset + $2::bigint <= capacity)
                AND bytes < 4611686018427387904 AND $4::bigint < 4611686018427387904
            RETURNING head - $2::bigint AS base, last_timestamp
        ), inserted AS (
            INSERT INTO events (
                stream_id, "offset", timestamp, event_version, size, event_id, causation_id, event_type,
                correlation_id, headers, event_data
            )
            SELECT $1::bigint, c.base + e.place - 1, c.last_timestamp, e.event_version, e.size, e.event_id,
                e.causation_id, e.event_type, e.correlation_id, e.headers, e.event_data
            FROM changed c CROSS JOIN unnest(
                $8::bigint[], $9::bigint[], $10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::bytea[]
            ) WITH ORDINALITY AS e (
                event_version, size, event_id, causation_id, event_type, correlation_id, headers, event_data, place
            )
        )
        SELECT base FROM changed
        """
    )

    /// Appends a batch unless its stream's row does not meet the conditions.
    mutating func appendAtOnce(_ batch: StreamBatch, _ session: Session) throws(EventStreamingError) {
        var weight = 0
        var events: [NewEvent] = []
        if batch.places.count == 1 {
            (weight, events) = (appends[batch.places[0]].weight, appends[batch.places[0]].checked.events)
        } else {
            events.reserveCapacity(Int(clamping: batch.count))
            for place in batch.places {
                weight += appends[place].weight
                events += appends[place].checked.events
            }
        }
        var parameters = Parameters(capacity: weight + 1024)
        parameters.add(batch.entry.id)
        parameters.add(batch.count)
        parameters.add(batch.expectedHead)
        parameters.add(batch.bytes)
        parameters.add(batch.lowestID)
        parameters.add(batch.highestID)
        parameters.add(clock.now.nanosecondsSinceEpoch)
        EventWriter.add(events, to: &parameters)
        if let rows = try rowsAppended(Self.oneStream, parameters, session), rows.count > 0 {
            succeed(batch, from: rows.int64(0, 0))
        }
    }

    /// Runs a statement that appends at once; `nil` where it could not, and each append is to be looked at by itself.
    func rowsAppended(
        _ statement: Statement,
        _ parameters: consuming Parameters,
        _ session: Session
    ) throws(EventStreamingError) -> Rows? {
        do throws(DatabaseError) {
            return try session.change(statement, parameters)
        } catch {
            // An id is there already, or the partition is not there yet: to be looked at one by one.
            if error.isUniqueViolation || error.isCheckViolation || error.isConflict { return nil }
            throw error.eventStreamingError
        }
    }
}
#endif
