import EventStreamingCore

/// An append that was checked as far as this needs no stream.
struct CheckedAppend: Sendable {
    let events: [NewEvent]
    let expectedVersion: ExpectedVersion
    /// Whether every id is greater than the one before it.
    let isAscending: Bool

    init(_ append: StreamAppend) throws(EventStreamingError) {
        let events = append.events
        self.events = events
        expectedVersion = append.expectedVersion
        guard !events.isEmpty else {
            throw EventStreamingError(.invalidArgument, "An append needs at least one event.")
        }
        var isAscending = true
        // By index: a loop over the elements would copy every event.
        for index in events.indices {
            guard events[index].size >= 0 else {
                throw EventStreamingError(.invalidArgument, "The size of event \(events[index].id) is negative.")
            }
            isAscending = isAscending && (index == 0 || events[index - 1].id < events[index].id)
        }
        self.isAscending = isAscending
        if !isAscending {
            var ids = Set<MessageID>(minimumCapacity: events.count)
            for index in events.indices where !ids.insert(events[index].id).inserted {
                throw EventStreamingError(
                    .invalidArgument,
                    "Event id \(events[index].id) is used twice in one append."
                )
            }
        }
    }
}

/// The outcome of an append.
enum Appended: Sendable {
    case stored(AppendResult)
    /// All ids are known. Whether the contents are the same has to be found out, outside the lock.
    case known(AppendResult, [StoredEvent])
}

extension StreamState {
    mutating func append(
        _ append: CheckedAppend,
        at time: Timestamp,
        effects: inout Effects
    ) throws(EventStreamingError) -> Appended {
        if let known = try knownOffsets(of: append) {
            let result = AppendResult(offsets: offsets(known), isDuplicate: true)
            return .known(result, log.events(in: known))
        }
        try check(append.expectedVersion)
        let first = log.head
        let count = append.events.count
        if type == .ephemeral, floor.positions == 0 {
            log.skip(count, at: time)
            dropped += count
            return .stored(AppendResult(offsets: offsets(first..<log.head)))
        }
        try checkRoom(for: count)
        log.append(append.events, at: time)
        ids.insert(append.events, from: first, isAscending: append.isAscending)
        dropSurplus(effects: &effects)
        effects.hasNews = true
        return .stored(AppendResult(offsets: offsets(first..<log.head)))
    }

    private func offsets(_ range: Range<Int64>) -> Range<StreamOffset> {
        StreamOffset(range.lowerBound)..<StreamOffset(range.upperBound)
    }

    /// Where the events are when they are all in the stream, next to each other and in this order; `nil` when none is.
    private func knownOffsets(of append: CheckedAppend) throws(EventStreamingError) -> Range<Int64>? {
        let events = append.events
        if append.isAscending, ids.isBeyondAll(events[0].id) {
            return nil
        }
        let first = ids.offset(of: events[0].id)
        for index in events.indices.dropFirst() {
            guard ids.offset(of: events[index].id) == first.map({ $0 + Int64(index) }) else {
                throw EventStreamingError(
                    .eventIDConflict,
                    "Some, but not all, of the events are in stream '\(name)' already, or in another order."
                )
            }
        }
        return first.map { $0..<$0 + Int64(events.count) }
    }

    private func check(_ expected: ExpectedVersion) throws(EventStreamingError) {
        let isMet =
            switch expected {
            case .any: true
            case .noStream: log.head == 0
            case .exists: log.head > 0
            case .exactly(let offset): log.head == offset.rawValue
            }
        guard isMet else {
            throw EventStreamingError(
                .wrongExpectedVersion,
                "Stream '\(name)' has \(log.head) events, which is not as expected (\(expected)).",
                actualLength: log.head
            )
        }
    }

    // MARK: - Capacity

    private func checkRoom(for count: Int) throws(EventStreamingError) {
        guard let capacity, overflow == .reject else { return }
        guard count <= capacity - min(capacity, log.count) else {
            throw EventStreamingError(
                .streamFull,
                "Stream '\(name)' holds \(log.count) of at most \(capacity) events and cannot take \(count) more."
            )
        }
    }

    /// Drops the oldest events until the stream holds no more than it may.
    mutating func dropSurplus(effects: inout Effects) {
        guard let capacity, overflow == .dropOldest, log.count > capacity else { return }
        let limit = log.head - Int64(capacity)
        let first = log.first
        if floor.positions == 0 {
            // A log that nobody subscribed to: nobody has seen any of them.
            dropped += Int(limit - first)
        }
        dropped += trim(before: limit, effects: &effects).intersection(first..<limit).count
    }
}
