import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    /// How many trimmed rows one transaction removes of a stream: enough to keep up with any consumer, and few enough that
    /// nobody waits for it.
    private static var rowsRemovedAtOnce: Int64 { 4096 }

    func stream(_ name: StreamName) throws -> StreamEntry {
        guard let stream = streams[name] else { throw EventStreamingError.unknownStream(name) }
        return stream
    }

    // MARK: - Rows

    func loadStreams() throws {
        let query = try statement(.allStreams)
        defer { query.reset() }
        while try query.step() {
            guard let name = try? StreamName(query.text(1)), let type = StreamType(rawValue: query.text(2)),
                let overflow = OverflowPolicy(rawValue: query.text(4))
            else { throw Damage(what: "the table of streams has a row that this store did not write") }
            let stream = StreamEntry(id: query.int(0), name: name, type: type, overflow: overflow)
            stream.capacity = query.optionalInt(3).flatMap { Int(exactly: $0) }
            stream.retention = RetentionPolicy(
                maximumAge: query.optionalInt(12).map { .nanoseconds($0) },
                maximumCount: query.optionalInt(13).flatMap { Int(exactly: $0) },
                maximumBytes: query.optionalInt(14).flatMap { Int(exactly: $0) }
            )
            stream.first = query.int(5)
            stream.head = query.int(6)
            stream.deleted = query.int(7)
            stream.dropped = query.int(8)
            stream.bytesTrimmed = query.int(9)
            stream.bytesAppended = query.int(10)
            stream.timestamp = query.int(11)
            guard 0 <= stream.deleted, stream.deleted <= stream.first, stream.first <= stream.head,
                stream.head <= EventPosition.offsetLimit,
                // What is added to them later must fit.
                1...EventPosition.streamLimit ~= stream.id, 0...Int64.max / 2 ~= stream.dropped
            else { throw Damage(what: "the numbers of stream '\(name)' contradict each other") }
            streams[name] = stream
        }
    }

    func write(_ stream: StreamEntry) throws {
        let update = try statement(.updateStream)
        update.bind(1, stream.id)
        update.bind(2, stream.capacity.map(Int64.init))
        update.bind(3, stream.overflow.rawValue)
        update.bind(4, stream.first)
        update.bind(5, stream.head)
        update.bind(6, stream.deleted)
        update.bind(7, stream.dropped)
        update.bind(8, stream.bytesTrimmed)
        update.bind(9, stream.bytesAppended)
        update.bind(10, stream.timestamp)
        update.bind(11, stream.retention.maximumAge?.clampedNanoseconds)
        update.bind(12, stream.retention.maximumCount.map(Int64.init))
        update.bind(13, stream.retention.maximumBytes.map(Int64.init))
        try update.run()
        stream.isChanged = false
    }

    // MARK: - Creating

    /// Creates the stream, or changes what may be changed of one of that name.
    @discardableResult
    func ensureStream(_ definition: StreamDefinition, changesExisting: Bool = true) throws -> StreamEntry {
        if let stream = streams[definition.name] {
            guard stream.type == definition.type else {
                throw EventStreamingError(
                    .streamConflict,
                    "Stream '\(definition.name)' exists already and is \(stream.type), not \(definition.type)."
                )
            }
            if changesExisting {
                stream.capacity = definition.capacity
                stream.overflow = definition.overflow
                stream.retention = definition.retention
                stream.isChanged = true
            }
            return stream
        }
        try begin()
        let insert = try statement(.insertStream)
        insert.bind(1, definition.name.rawValue)
        insert.bind(2, definition.type.rawValue)
        insert.bind(3, definition.overflow.rawValue)
        defer { insert.reset() }
        guard try insert.step() else { throw Damage(what: "a new stream got no number") }
        let id = insert.int(0)
        guard try !insert.step(), id < EventPosition.streamLimit else {
            throw Damage(what: "there are no numbers left for streams")
        }
        let stream = StreamEntry(
            id: id,
            name: definition.name,
            type: definition.type,
            capacity: definition.capacity,
            overflow: definition.overflow
        )
        stream.retention = definition.retention
        stream.isChanged = true
        streams[definition.name] = stream
        return stream
    }

    // MARK: - Looking

    func metadata(of stream: StreamEntry) throws -> StreamMetadata {
        StreamMetadata(
            name: stream.name,
            type: stream.type,
            first: StreamOffset(stream.first),
            head: StreamOffset(stream.head),
            dropped: Int(stream.dropped),
            bytes: Int(max(0, stream.bytesAppended.subtractingReportingOverflow(stream.bytesTrimmed).partialValue)),
            oldest: stream.count > 0
                ? Timestamp(nanosecondsSinceEpoch: try timestamp(at: stream.first, of: stream)) : nil,
            retention: stream.retention
        )
    }

    /// Where reading from a position would begin now.
    func offset(of position: StartPosition, in stream: StreamEntry) throws -> Int64 {
        switch position {
        case .beginning: return stream.first
        case .latest: return stream.head
        case .offset(let offset): return min(max(offset.rawValue, stream.first), stream.head)
        case .timestamp(let time): return try offset(at: time.nanosecondsSinceEpoch, in: stream)
        case .event(let id):
            guard let offset = try offset(of: id, in: stream) else {
                throw EventStreamingError.unknownEvent(id, in: stream.name)
            }
            return offset
        }
    }

    /// The first offset at a time or later, found by halves: times never go back within a stream.
    func offset(at time: Int64, in stream: StreamEntry) throws -> Int64 {
        try firstOffset(of: stream) { try timestamp(at: $0, of: stream) >= time }
    }

    /// The first offset for which `isBeyond` holds, as it does for all after it; the stream's head when for none.
    func firstOffset(of stream: StreamEntry, where isBeyond: (Int64) throws -> Bool) throws -> Int64 {
        var low = stream.first
        var high = stream.head
        while low < high {
            let middle = low + (high - low) / 2
            if try isBeyond(middle) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }

    private func timestamp(at offset: Int64, of stream: StreamEntry) throws -> Int64 {
        try number(.timestamp, at: offset, of: stream)
    }

    func number(_ query: Query, at offset: Int64, of stream: StreamEntry) throws -> Int64 {
        let query = try statement(query)
        query.bind(1, EventPosition.of(stream.id, offset))
        defer { query.reset() }
        guard try query.step() else { throw Damage(what: "event \(offset) of stream '\(stream.name)' is missing") }
        return query.int(0)
    }

    /// The events at a range of offsets that the stream keeps.
    func events(in offsets: Range<Int64>, of stream: StreamEntry) throws -> [StoredEvent] {
        let query = try statement(.eventsInRange)
        let positions = stream.positions(offsets)
        query.bind(1, positions.lowerBound)
        query.bind(2, positions.upperBound)
        defer { query.reset() }
        var events: [StoredEvent] = []
        while try query.step() {
            events.append(try rows.event(from: query))
        }
        return events
    }

    // MARK: - Trimming

    /// Removes the events before `offset`; positions behind move up to it.
    ///
    /// - Returns: The offsets that some position had not finished.
    @discardableResult
    func trim(_ stream: StreamEntry, before offset: Int64) throws -> OffsetRanges {
        var unfinished = OffsetRanges()
        try trim(stream, before: offset) { unfinished.formUnion($1) }
        return unfinished
    }

    /// - Parameter report: Told the subscriptions that had not finished some offsets, with the offsets.
    func trim(
        _ stream: StreamEntry,
        before offset: Int64,
        _ report: (SubscriptionID, OffsetRanges) -> Void
    ) throws {
        for subscription in stream.subscriptions {
            let unfinished = subscription.state.lap(before: offset, floor: &stream.floor)
            subscription.isChanged = true
            if !unfinished.isEmpty {
                report(subscription.state.definition.id, unfinished)
            }
        }
        try removeEvents(of: stream, before: offset)
    }

    /// Drops the oldest events until the stream holds no more than it may.
    func dropSurplus(of stream: StreamEntry) throws {
        guard let capacity = stream.capacity, stream.overflow == .dropOldest, stream.count > capacity else { return }
        let limit = stream.head - Int64(capacity)
        let first = stream.first
        if stream.floor.positions == 0 {
            // A log that nobody subscribed to: nobody has seen any of them.
            stream.dropped += limit - first
        }
        stream.dropped += Int64(try trim(stream, before: limit).intersection(first..<limit).count)
        try trimFinished(stream)
    }

    /// Removes what every position has finished, where events are kept for no other purpose.
    func trimFinished(_ stream: StreamEntry) throws {
        guard stream.type == .ephemeral else { return }
        if stream.floor.isStale {
            stream.floor.reset()
            for subscription in stream.subscriptions {
                subscription.state.count(in: &stream.floor)
            }
        }
        let lowest = stream.floor.positions == 0 ? stream.head : stream.floor.lowest
        if stream.first < lowest {
            try removeEvents(of: stream, before: lowest)
        }
    }

    private func removeEvents(of stream: StreamEntry, before offset: Int64) throws {
        let offset = min(offset, stream.head)
        guard stream.first < offset else { return }
        stream.bytesTrimmed =
            offset == stream.head ? stream.bytesAppended : try number(.bytesBefore, at: offset, of: stream)
        stream.first = offset
        stream.isChanged = true
        try begin()
        let trim = try statement(.trimDeadLetters)
        trim.bind(1, stream.id)
        trim.bind(2, offset)
        try trim.run()
    }

    /// Removes rows that were trimmed, but not all at once.
    ///
    /// - Returns: Whether there are more.
    @discardableResult
    func removeTrimmedRows(of stream: StreamEntry) throws -> Bool {
        guard stream.deleted < stream.first else { return false }
        let end = min(stream.first, stream.deleted + Self.rowsRemovedAtOnce)
        try deleteRows(stream.positions(stream.deleted..<end))
        stream.deleted = end
        stream.isChanged = true
        return end < stream.first
    }
}
