import EventStreamingCore
import EventStreamingStoreKit
import GRDB

/// A page of a stream, as a connection that reads finds it.
struct EventPage {
    /// How many bytes of payloads end a page, with the event that reaches this number: nobody shall need the memory for a
    /// thousand of the largest events at a time.
    private static let maximumBytes = 4 << 20

    let stream: StreamName
    let offset: Int64
    let direction: ReadDirection
    let limit: Int

    private struct Bounds {
        let id: Int64
        let type: StreamType?
        let first: Int64
        let head: Int64
    }

    /// - Throws: `unknownStream`.
    func streamType(in database: Database) throws -> StreamType? {
        try bounds(in: database).type
    }

    private func bounds(in database: Database) throws -> Bounds {
        let query = try SQLiteStatement(
            cachedIn: database,
            "SELECT id, type, first, head FROM streams WHERE name = ?"
        )
        query.bind(1, stream.rawValue)
        defer { query.reset() }
        guard try query.step() else { throw EventStreamingError.unknownStream(stream) }
        return Bounds(
            id: query.int(0),
            type: StreamType(rawValue: query.text(1)),
            first: query.int(2),
            head: query.int(3)
        )
    }

    /// The events of the page.
    ///
    /// Two statements, and so two looks at the database. What lies between the bounds of the first is complete in the
    /// second, unless it was trimmed and removed in between; then both are repeated.
    func events(in database: Database) throws -> [StoredEvent] {
        while true {
            let bounds = try bounds(in: database)
            let range = try range(within: bounds)
            guard !range.isEmpty else { return [] }
            let (events, isWhole) = try Self.events(
                in: range, of: bounds.id, direction: direction, maximumBytes: Self.maximumBytes, database)
            // Of a page that ended early, the last event tells whether there is one for every offset.
            let count = Int64(events.count)
            let last = direction == .forward ? range.lowerBound + count - 1 : range.upperBound - count
            if isWhole ? events.count == range.count : events.last?.offset.rawValue == last { return events }
            guard try self.bounds(in: database).first > bounds.first else {
                throw EventStreamingError(.storeDamaged, "Stream '\(stream)' lacks events from \(range.lowerBound) on.")
            }
        }
    }

    private func range(within bounds: Bounds) throws(EventStreamingError) -> Range<Int64> {
        switch direction {
        case .forward:
            guard bounds.first <= offset else {
                throw EventStreamingError(
                    .offsetTrimmed,
                    "Stream '\(stream)' no longer has the events from \(offset) on; its oldest is at \(bounds.first)."
                )
            }
            guard offset < bounds.head else { return 0..<0 }
            return offset..<offset + min(Int64(limit), bounds.head - offset)
        case .backward:
            let end = offset < bounds.head ? offset + 1 : bounds.head
            guard bounds.first < end else { return 0..<0 }
            return end - min(Int64(limit), end - bounds.first)..<end
        }
    }

    /// The events at offsets of a stream; those that were removed are left out.
    static func events(
        at offsets: OffsetRanges,
        of stream: Int64,
        in database: Database
    ) throws -> [StoredEvent] {
        let ranges = offsets.ranges
        if ranges.count == 1 {
            return try events(in: ranges[0], of: stream, direction: .forward, database).events
        }
        return try ranges.flatMap { try events(in: $0, of: stream, direction: .forward, database).events }
    }

    /// - Parameter maximumBytes: After so many payload bytes it is enough.
    /// - Returns: The events, and whether they are all there are.
    private static func events(
        in offsets: Range<Int64>,
        of stream: Int64,
        direction: ReadDirection,
        maximumBytes: Int = .max,
        _ database: Database
    ) throws -> (events: [StoredEvent], isWhole: Bool) {
        let query = try SQLiteStatement(cachedIn: database, direction == .forward ? ascending : descending)
        let positions = EventPosition.range(stream, offsets)
        query.bind(1, positions.lowerBound)
        query.bind(2, positions.upperBound)
        defer { query.reset() }
        var events: [StoredEvent] = []
        events.reserveCapacity(min(offsets.count, 1024))
        var rows = EventRows()
        var bytes = 0
        while try query.step() {
            if bytes >= maximumBytes { return (events, false) }
            let event = try rows.event(from: query)
            // Wraps for sizes that nobody wrote; then the page only ends later.
            bytes &+= event.size
            events.append(event)
        }
        return (events, true)
    }

    private static let ascending = """
        SELECT \(EventRows.columns) FROM events WHERE position >= ? AND position < ? ORDER BY position
        """
    private static let descending = ascending + " DESC"
}
