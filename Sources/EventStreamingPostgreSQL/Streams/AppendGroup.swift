#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Many appends, made on one connection in as few round trips as they allow.
///
/// Mostly that is one: a single statement takes the streams' locks, gives out offsets, checks what was expected and
/// inserts all events. Only what is not plain is made step by step in a transaction: repetitions, refusals, full
/// streams, the first event of a partition.
struct AppendGroup {
    typealias Outcome = Result<AppendResult, EventStreamingError>

    let appends: [PendingAppend]
    let arrival: Arrival
    /// What becomes of each append; `nil` until it is known.
    var outcomes: [Outcome?]
    /// The streams with something new.
    var changed: Set<StreamName> = []
    /// Who was found to have expired in the transaction that is open.
    private(set) var expired: [ConsumerRegistration] = []

    var directory: StreamDirectory { arrival.streams }
    var clock: any EventStreamingClock { arrival.clock }

    init(_ appends: [PendingAppend], _ arrival: Arrival) {
        self.appends = appends
        self.arrival = arrival
        outcomes = Array(repeating: nil, count: appends.count)
    }

    /// Makes the appends.
    mutating func run(_ session: Session) {
        do throws(EventStreamingError) {
            let batches = try makeBatches(session)
            let simple = batches.filter(\.isSimple)
            if simple.count == 1, simple[0].entry.type == .persistent {
                try appendAtOnce(simple[0], session)
            } else if !simple.isEmpty {
                try appendAtOnce(simple, session)
            }
            let rest = batches.filter { batch in batch.places.contains { outcomes[$0] == nil } }
            if !rest.isEmpty {
                // Whether there is a position that keeps the events, whether there is room, and who still had to finish
                // what is dropped, are questions of time.
                for batch in rest where batch.entry.dependsOnTime {
                    try arrival.run(in: batch.entry, session)
                }
                try appendCarefully(rest, session)
            }
        } catch {
            fail(with: error)
        }
    }

    /// Makes the appends in the transaction that is open. When this throws, it must be given up.
    mutating func runWithin(_ session: Session) throws(EventStreamingError) {
        let batches = try makeBatches(session)
        if !batches.isEmpty {
            for batch in batches where batch.entry.dependsOnTime {
                let outcome = try arrival.runWithin(session, in: batch.entry)
                changed.formUnion(outcome.changed)
                expired += outcome.expired
            }
            try appendCarefully(within: session, batches)
        }
    }

    /// Ends everything that has no outcome yet.
    mutating func fail(with error: EventStreamingError) {
        for place in outcomes.indices where outcomes[place] == nil {
            outcomes[place] = .failure(error)
        }
    }

    private mutating func makeBatches(_ session: Session) throws(EventStreamingError) -> [StreamBatch] {
        var batches: [StreamBatch] = []
        var positions: [StreamName: Int] = [:]
        for (place, append) in appends.enumerated() {
            if let position = positions[append.stream] {
                batches[position].add(append, at: place)
                continue
            }
            do throws(EventStreamingError) {
                var batch = StreamBatch(try directory.entry(append.stream, session))
                batch.add(append, at: place)
                positions[append.stream] = batches.count
                batches.append(batch)
            } catch {
                guard error.code == .unknownStream else { throw error }
                outcomes[place] = .failure(error)
            }
        }
        for position in batches.indices {
            batches[position].checkIDs(appends)
        }
        return batches
    }

    /// Notes where the appends of a batch went, the first at `base`. They must be committed.
    mutating func succeed(_ batch: StreamBatch, from base: Int64) {
        var offset = base
        for place in batch.places {
            let end = offset + Int64(appends[place].checked.events.count)
            outcomes[place] = .success(AppendResult(offsets: StreamOffset(offset)..<StreamOffset(end)))
            offset = end
        }
        directory.note(head: offset, of: batch.entry)
        changed.insert(batch.entry.name)
    }
}

// MARK: - One statement for many streams

extension AppendGroup {
    /// A stream whose row does not meet the conditions is passed over; the rest is appended. Rows are locked in order of
    /// their numbers, so that two groups never wait for each other.
    private static let statement = Statement(
        """
        WITH wanted AS (
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::uuid[], $6::uuid[])
                AS w (stream_id, events, expected_head, bytes, lowest_id, highest_id)
        ), locked AS MATERIALIZED (
            SELECT id FROM streams WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
        ), changed AS (
            UPDATE streams s SET
                head = s.head + w.events,
                bytes = s.bytes + w.bytes,
                last_timestamp = greatest(s.last_timestamp, $7::bigint),
                newest_event_id = greatest(s.newest_event_id, w.highest_id)
            FROM wanted w JOIN locked l ON l.id = w.stream_id
            WHERE s.id = w.stream_id
                AND (w.expected_head IS NULL OR s.head = w.expected_head)
                AND s.head + w.events <= s.partition_end
                AND (s.sealed_event_id IS NULL OR w.lowest_id > s.sealed_event_id)
                AND (s.type = 'persistent' OR s.positions > 0 AND NOT EXISTS (
                    -- Somebody whose position may have been the last, and ran out.
                    SELECT FROM subscriptions b JOIN consumer_offsets c ON c.subscription_id = b.id
                    WHERE b.stream_id = s.id AND b.mode NOT IN ('exclusive', 'consumerGroup') AND c.kind = 'temporary' AND c.is_connected
                        AND c.expires_at
                            <= coalesce($18::bigint, (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint)
                ))
                AND (s.capacity IS NULL OR s.head - s.first_offset + w.events <= s.capacity)
                AND s.bytes < 4611686018427387904 AND w.bytes < 4611686018427387904
            RETURNING s.id, s.head - w.events AS base, s.last_timestamp
        ), inserted AS (
            INSERT INTO events (
                stream_id, "offset", timestamp, event_version, size, event_id, causation_id, event_type,
                correlation_id, headers, event_data
            )
            SELECT c.id, c.base + e.place, c.last_timestamp, e.event_version, e.size, e.event_id, e.causation_id,
                e.event_type, e.correlation_id, e.headers, e.event_data
            FROM unnest(
                $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::uuid[], $13::uuid[], $14::text[],
                $15::text[], $16::text[], $17::bytea[]
            ) AS e (
                stream_id, place, event_version, size, event_id, causation_id, event_type, correlation_id, headers,
                event_data
            )
            JOIN changed c ON c.id = e.stream_id
        )
        SELECT id, base FROM changed
        """
    )

    private mutating func appendAtOnce(_ batches: [StreamBatch], _ session: Session) throws(EventStreamingError) {
        var weight = 0
        var events: [NewEvent] = []
        var streams: [Int64] = []
        var places: [Int64] = []
        for batch in batches {
            var place: Int64 = 0
            for index in batch.places {
                let append = appends[index]
                weight += append.weight
                events += append.checked.events
                for _ in append.checked.events {
                    streams.append(batch.entry.id)
                    places.append(place)
                    place += 1
                }
            }
        }
        var parameters = Parameters(capacity: weight + batches.count * 128 + 1024)
        parameters.add(batches.map(\.entry.id))
        parameters.add(batches.map(\.count))
        parameters.addArray(ofNullable: .int8, batches) { writer, batch in
            guard let head = batch.expectedHead else { return false }
            writer.write(head)
            return true
        }
        parameters.add(batches.map(\.bytes))
        parameters.add(batches.compactMap(\.lowestID))
        parameters.add(batches.compactMap(\.highestID))
        parameters.add(clock.now.nanosecondsSinceEpoch)
        parameters.add(streams)
        parameters.add(places)
        EventWriter.add(events, to: &parameters)
        parameters.add(arrival.uptime)
        guard let rows = try rowsAppended(Self.statement, parameters, session) else { return }
        for row in 0..<rows.count {
            let id = rows.int64(row, 0)
            if let batch = batches.first(where: { $0.entry.id == id }) {
                succeed(batch, from: rows.int64(row, 1))
            }
        }
    }
}
#endif
