import EventStreamingCore
import EventStreamingStoreKit
import GRDB

/// A page of a stream, as a connection that reads finds it.
struct EventPage {
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
            let events = try Self.events(in: range, of: bounds.id, direction: direction, database)
            if events.count == range.count { return events }
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
            return try events(in: ranges[0], of: stream, direction: .forward, database)
        }
        return try ranges.flatMap { try events(in: $0, of: stream, direction: .forward, database) }
    }

    private static func events(
        in offsets: Range<Int64>,
        of stream: Int64,
        direction: ReadDirection,
        _ database: Database
    ) throws -> [StoredEvent] {
        let query = try SQLiteStatement(cachedIn: database, direction == .forward ? ascending : descending)
        let positions = EventPosition.range(stream, offsets)
        query.bind(1, positions.lowerBound)
        query.bind(2, positions.upperBound)
        defer { query.reset() }
        var events: [StoredEvent] = []
        events.reserveCapacity(min(offsets.count, 1024))
        var rows = EventRows()
        while try query.step() {
            events.append(try rows.event(from: query))
        }
        return events
    }

    private static let ascending = """
        SELECT \(EventRows.columns) FROM events WHERE position >= ? AND position < ? ORDER BY position
        """
    private static let descending = ascending + " DESC"
}
