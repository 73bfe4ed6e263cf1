package import EventStreamingCore

/// An append that was checked as far as this needs no stream.
package struct CheckedAppend: Sendable {
    package let events: [NewEvent]
    package let expectedVersion: ExpectedVersion
    /// Whether every id is greater than the one before it.
    package let isAscending: Bool

    package init(_ append: StreamAppend) throws(EventStreamingError) {
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

    // MARK: - Against the stream

    /// Where the events are when they are all in the stream, next to each other and in this order; `nil` when none is.
    ///
    /// - Parameter offset: Where the event with an id is kept, if it is.
    /// - Throws: `eventIDConflict` when only some of them are there, or in another order.
    package func knownOffsets(
        in stream: StreamName,
        offset: (MessageID) -> Int64?
    ) throws(EventStreamingError) -> Range<Int64>? {
        let first = offset(events[0].id)
        for index in events.indices.dropFirst() {
            guard offset(events[index].id) == first.map({ $0 + Int64(index) }) else {
                throw EventStreamingError(
                    .eventIDConflict,
                    "Some, but not all, of the events are in stream '\(stream)' already, or in another order."
                )
            }
        }
        return first.map { $0..<$0 + Int64(events.count) }
    }

    /// - Throws: `wrongExpectedVersion`.
    package func checkExpectation(of stream: StreamName, head: Int64) throws(EventStreamingError) {
        let isMet =
            switch expectedVersion {
            case .any: true
            case .noStream: head == 0
            case .exists: head > 0
            case .exactly(let offset): head == offset.rawValue
            }
        guard isMet else {
            throw EventStreamingError(
                .wrongExpectedVersion,
                "Stream '\(stream)' has \(head) events, which is not as expected (\(expectedVersion)).",
                actualLength: head
            )
        }
    }

    /// - Parameters:
    ///   - capacity: How many events the stream may hold; `nil` where it need not reject any.
    ///   - count: How many it holds.
    /// - Throws: `streamFull`.
    package func checkRoom(in stream: StreamName, capacity: Int?, count: Int) throws(EventStreamingError) {
        guard let capacity else { return }
        guard events.count <= capacity - min(capacity, count) else {
            throw EventStreamingError(
                .streamFull,
                "Stream '\(stream)' holds \(count) of at most \(capacity) events and cannot take \(events.count) more."
            )
        }
    }
}
