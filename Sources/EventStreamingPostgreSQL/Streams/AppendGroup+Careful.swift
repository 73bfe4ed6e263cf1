#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

extension AppendGroup {
    /// How often a group is begun again after the server had to end it in favour of another.
    private static let attempts = 3

    /// Makes the appends one after the other in one transaction, while nobody else appends to their streams.
    mutating func appendCarefully(_ batches: [StreamBatch], _ session: Session) throws(EventStreamingError) {
        for attempt in 1...Self.attempts {
            var transaction = CarefulAppend(self, batches)
            do throws(EventStreamingError) {
                try session.transaction(orThrow: \.eventStreamingError) { (session) throws(EventStreamingError) in
                    try transaction.run(session)
                }
            } catch {
                if error.isConflict, attempt < Self.attempts { continue }
                throw error
            }
            take(transaction)
            return
        }
    }

    /// Makes the appends in the transaction that is open.
    mutating func appendCarefully(
        within session: Session,
        _ batches: [StreamBatch]
    ) throws(EventStreamingError) {
        var transaction = CarefulAppend(self, batches)
        try transaction.run(session)
        take(transaction)
    }

    private mutating func take(_ transaction: CarefulAppend) {
        for (place, outcome) in transaction.outcomes {
            outcomes[place] = outcome
        }
        changed.formUnion(transaction.changed)
    }
}

/// One attempt to make appends one after the other.
private struct CarefulAppend {
    private let appends: [PendingAppend]
    private let batches: [StreamBatch]
    private let now: Timestamp
    private let streams: StreamDirectory
    private var rows: [Int64: StreamRow] = [:]
    /// Where the ids of the appends are in their streams.
    private var known: [Int64: [MessageID: Int64]] = [:]
    private var insertions: [EventInsertion] = []
    private var repetitions: [(place: Int, stream: Int64, offsets: Range<Int64>)] = []
    private(set) var outcomes: [Int: AppendGroup.Outcome] = [:]
    private(set) var changed: Set<StreamName> = []

    init(_ group: AppendGroup, _ batches: [StreamBatch]) {
        appends = group.appends
        now = group.clock.now
        streams = group.directory
        self.batches = batches
    }

    mutating func run(_ session: Session) throws(EventStreamingError) {
        rows = try StreamRow.lock(batches.map(\.entry), session)
        try findKnown(session)
        for batch in batches {
            for place in batch.places where outcomes[place] == nil {
                try append(appends[place], at: place, to: batch.entry, session)
            }
        }
        try EventInsertion.insert(insertions, session)
        for batch in batches {
            guard let row = rows[batch.entry.id] else { continue }
            if (row.overflow == .dropOldest) != batch.entry.dropsOldest {
                streams.note(row.overflow, of: batch.entry)
            }
            // Only what was stored makes others go: neither a repetition nor a refusal does, whatever the capacity is now.
            if changed.contains(batch.entry.name) {
                try rows[batch.entry.id]?.dropSurplus(streams, session)
            }
            try rows[batch.entry.id]?.save(session)
            if changed.contains(batch.entry.name), rows[batch.entry.id]?.overflow == .dropOldest {
                try rows[batch.entry.id]?.trimFinished(session)
            }
        }
        try checkRepetitions(session)
    }

    // MARK: - Deciding

    private mutating func append(
        _ append: PendingAppend,
        at place: Int,
        to entry: StreamDirectory.Entry,
        _ session: Session
    ) throws(EventStreamingError) {
        try makeRoom(for: append, in: entry, session)
        guard var row = rows[entry.id] else {
            outcomes[place] = .failure(.unknownStream(entry.name))
            return
        }
        do throws(EventStreamingError) {
            let ids = known[entry.id] ?? [:]
            if let offsets = try append.checked.knownOffsets(in: entry.name, offset: { ids[$0] }) {
                repetitions.append((place, entry.id, offsets))
                outcomes[place] = .success(Self.result(offsets, isDuplicate: true))
                return
            }
            try append.checked.checkExpectation(of: entry.name, head: row.head)
            if let capacity = row.capacity, row.overflow == .reject, entry.type == .persistent || row.positions > 0 {
                let capacity = Int(clamping: capacity)
                try append.checked.checkRoom(in: entry.name, capacity: capacity, count: Int(row.count))
            }
        } catch {
            outcomes[place] = .failure(error)
            return
        }
        let base = row.head
        let events = append.checked.events
        try row.append(events, at: now, session)
        streams.forgetHead(of: entry)
        if entry.type == .ephemeral, row.positions == 0 {
            // Nobody waits for them: they get offsets, and are gone.
            row.dropped += row.head - base
            row.first = row.head
            row.bytes = 0
        } else {
            for (index, event) in events.enumerated() {
                let offset = base + Int64(index)
                insertions.append(
                    EventInsertion(stream: entry.id, offset: offset, timestamp: row.lastTimestamp, event: event)
                )
                known[entry.id, default: [:]][event.id] = offset
            }
            changed.insert(entry.name)
        }
        rows[entry.id] = row
        outcomes[place] = .success(Self.result(base..<row.head, isDuplicate: false))
    }

    private static func result(_ offsets: Range<Int64>, isDuplicate: Bool) -> AppendResult {
        AppendResult(
            offsets: StreamOffset(offsets.lowerBound)..<StreamOffset(offsets.upperBound),
            isDuplicate: isDuplicate
        )
    }

    // MARK: - Statements

    private static let find = Statement(
        """
        SELECT e.stream_id, e.event_id, e."offset"
        FROM unnest($1::bigint[], $2::uuid[]) AS w (stream_id, event_id)
        JOIN events e ON e.stream_id = w.stream_id AND e.event_id = w.event_id
        """
    )
    private static let delete = Statement(
        """
        DELETE FROM events e USING unnest($1::bigint[], $2::bigint[]) AS w (stream_id, "offset")
        WHERE e.stream_id = w.stream_id AND e."offset" = w."offset"
        """
    )
    private static let content = Statement(
        """
        SELECT event_type, event_version, event_data FROM events
        WHERE stream_id = $1::bigint AND "offset" >= $2::bigint AND "offset" < $3::bigint
        ORDER BY "offset"
        """
    )

    /// Looks for the ids in their streams. What is there of events that were trimmed goes now: their ids are free.
    private mutating func findKnown(_ session: Session) throws(EventStreamingError) {
        var streams: [Int64] = []
        var ids: [MessageID] = []
        for batch in batches {
            for event in batch.places.lazy.flatMap({ [appends] in appends[$0].checked.events }) {
                streams.append(batch.entry.id)
                ids.append(event.id)
            }
        }
        let found = try session.rows(Self.find) { parameters in
            parameters.add(streams)
            parameters.add(ids)
        }
        var trimmed = Places()
        for row in 0..<found.count {
            let (stream, offset) = (found.int64(row, 0), found.int64(row, 2))
            if let first = rows[stream]?.first, offset < first {
                trimmed.add(offset, of: stream)
            } else {
                known[stream, default: [:]][found.id(row, 1)] = offset
            }
        }
        try delete(trimmed, session)
    }

    private struct Places {
        var streams: [Int64] = []
        var offsets: [Int64] = []

        mutating func add(_ offset: Int64, of stream: Int64) {
            streams.append(stream)
            offsets.append(offset)
        }
    }

    private func delete(_ places: Places, _ session: Session) throws(EventStreamingError) {
        guard !places.streams.isEmpty else { return }
        try session.rows(Self.delete) { parameters in
            parameters.add(places.streams)
            parameters.add(places.offsets)
        }
    }

    /// Drops what earlier appends of the group have pushed out, when this append has an id of it: that id is free.
    private mutating func makeRoom(
        for append: PendingAppend,
        in entry: StreamDirectory.Entry,
        _ session: Session
    ) throws(EventStreamingError) {
        guard changed.contains(entry.name), var row = rows[entry.id], row.overflow == .dropOldest,
            let capacity = row.capacity, let ids = known[entry.id]
        else { return }
        let limit = row.head - capacity
        guard append.checked.events.contains(where: { ids[$0.id].map { $0 < limit } ?? false }) else { return }
        try EventInsertion.insert(insertions, session)
        insertions = []
        try row.dropSurplus(streams, session)
        rows[entry.id] = row
        var dropped = Places()
        for (id, offset) in ids where offset < row.first {
            known[entry.id]?[id] = nil
            dropped.add(offset, of: entry.id)
        }
        // A repetition is compared with what is stored when everything is done, so what it repeats must stay until then.
        try checkRepetitions(session)
        repetitions = []
        try delete(dropped, session)
    }

    private mutating func checkRepetitions(_ session: Session) throws(EventStreamingError) {
        for (place, stream, offsets) in repetitions {
            let stored = try session.rows(Self.content) { parameters in
                parameters.add(stream)
                parameters.add(offsets.lowerBound)
                parameters.add(offsets.upperBound)
            }
            for (row, event) in appends[place].checked.events.enumerated() {
                let isSame =
                    row < stored.count && stored.text(row, 0) == event.type.name
                    && stored.int64(row, 1) == Int64(event.type.version)
                    && stored.bytes(row, 2).elementsEqual(EventWriter.bytes(of: event))
                guard isSame else {
                    outcomes[place] = .failure(
                        EventStreamingError(
                            .eventIDConflict,
                            "Event id \(event.id) is in stream '\(appends[place].stream)' already, with another content."
                        )
                    )
                    break
                }
            }
        }
    }
}
#endif
