import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    /// Appends events, or throws an `EventStreamingError` and changes nothing.
    func append(_ append: CheckedAppend, to name: StreamName, at moment: Moment) throws -> AppendResult {
        guard let stream = streams[name] else { throw EventStreamingError.unknownStream(name) }
        if stream.type == .ephemeral || stream.overflow == .dropOldest {
            // Whether there is a position that keeps the events, and who still had to finish what is dropped, are
            // questions of time.
            try arrive(in: stream, at: moment)
        }
        // Mostly ids are new, and then the index that keeps them unique is all that has to be asked.
        let first = stream.head
        if isAcceptable(append, by: stream), try insert(append.events, into: stream, at: moment.now) {
            try dropSurplus(of: stream)
            changedStreams.insert(name)
            return AppendResult(offsets: StreamOffset(first)..<StreamOffset(stream.head))
        }
        return try appendAfterLooking(append, to: stream, at: moment)
    }

    private func isAcceptable(_ append: CheckedAppend, by stream: StreamEntry) -> Bool {
        if stream.type == .ephemeral, stream.floor.positions == 0 { return false }
        return (try? check(append, against: stream)) != nil
    }

    private func check(_ append: CheckedAppend, against stream: StreamEntry) throws(EventStreamingError) {
        try append.checkExpectation(of: stream.name, head: stream.head)
        guard stream.head <= EventPosition.offsetLimit - Int64(append.events.count) else {
            throw EventStreamingError(
                .streamFull, "Stream '\(stream.name)' has had as many events as a stream can have.")
        }
        guard stream.type == .persistent || stream.floor.positions > 0 else { return }
        let capacity = stream.overflow == .reject ? stream.capacity : nil
        try append.checkRoom(in: stream.name, capacity: capacity, count: Int(stream.count))
    }

    /// The way of appends that repeat ids, do not fit, or meet nobody.
    private func appendAfterLooking(
        _ append: CheckedAppend,
        to stream: StreamEntry,
        at moment: Moment
    ) throws -> AppendResult {
        var offsets: [MessageID: Int64] = [:]
        for event in append.events {
            offsets[event.id] = try offset(of: event.id, in: stream)
        }
        if let known = try append.knownOffsets(in: stream.name, offset: { offsets[$0] }) {
            let stored = try events(in: known, of: stream)
            guard stored.count == append.events.count else { throw Damage(what: "events are missing") }
            for (event, old) in zip(append.events, stored) {
                try ContentComparison.check(event, isContentOf: old)
            }
            return AppendResult(
                offsets: StreamOffset(known.lowerBound)..<StreamOffset(known.upperBound),
                isDuplicate: true
            )
        }
        try check(append, against: stream)
        let first = stream.head
        if stream.type == .ephemeral, stream.floor.positions == 0 {
            skip(append.events.count, in: stream, at: moment.now)
        } else {
            guard try insert(append.events, into: stream, at: moment.now) else { throw Damage(what: "an index") }
            try dropSurplus(of: stream)
            changedStreams.insert(stream.name)
        }
        return AppendResult(offsets: StreamOffset(first)..<StreamOffset(stream.head))
    }

    /// Gives offsets to events that nobody will see.
    private func skip(_ count: Int, in stream: StreamEntry, at time: Timestamp) {
        stream.head += Int64(count)
        stream.first = stream.head
        stream.deleted = stream.head
        stream.bytesTrimmed = stream.bytesAppended
        stream.dropped += Int64(count)
        stream.timestamp = max(stream.timestamp, time.nanosecondsSinceEpoch)
        stream.isChanged = true
    }

    /// Where the event with an id is kept. A trimmed event whose row is still there is removed, so that its id is free.
    func offset(of id: MessageID, in stream: StreamEntry) throws -> Int64? {
        let query = try statement(.eventByID)
        query.bind(1, stream.id)
        id.withBytes { query.bind(2, copied: $0) }
        defer { query.reset() }
        guard try query.step() else { return nil }
        let position = query.int(0)
        let offset = EventPosition.offset(position)
        if offset < stream.first {
            query.reset()
            try deleteRows(position..<position + 1)
            return nil
        }
        return offset
    }

    // MARK: - Rows

    /// Inserts events at the end of the stream, whether there is room or not.
    ///
    /// - Returns: Whether all ids were new; otherwise nothing was changed.
    func insert(_ events: [NewEvent], into stream: StreamEntry, at time: Timestamp) throws -> Bool {
        try begin()
        let timestamp = max(stream.timestamp, time.nanosecondsSinceEpoch)
        let positions = stream.positions(stream.head..<stream.head + Int64(events.count))
        var binder = EventBinder(try statement(.insertEvent), timestamp: timestamp)
        var bytes = stream.bytesAppended
        for index in events.indices {
            let position = positions.lowerBound + Int64(index)
            guard try binder.insert(events[index], position: position, bytesBefore: bytes) else {
                if index > 0 {
                    try deleteRows(positions.lowerBound..<position)
                }
                return false
            }
            // A sum that no longer fits is of sizes that callers made up.
            bytes = bytes.addingReportingOverflow(Int64(events[index].size)).partialValue
        }
        stream.bytesAppended = bytes
        stream.head += Int64(events.count)
        stream.timestamp = timestamp
        stream.isChanged = true
        return true
    }

    func deleteRows(_ positions: Range<Int64>) throws {
        try begin()
        let delete = try statement(.deleteEvents)
        delete.bind(1, positions.lowerBound)
        delete.bind(2, positions.upperBound)
        try delete.run()
    }
}
