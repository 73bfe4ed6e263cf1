#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// What a subscription asks of its stream while it hands out events. Types and keys are read ahead, a page at a time.
final class StreamLog: SubscriptionLog {
    private static let page: Int64 = 1024
    private static let types = Statement(
        """
        SELECT "offset", event_type, event_version FROM events
        WHERE stream_id = $1::bigint AND "offset" >= $2::bigint AND "offset" < $3::bigint
        """
    )
    private static let keys = Statement(
        """
        SELECT "offset", event_id, correlation_id, headers FROM events
        WHERE stream_id = $1::bigint AND "offset" >= $2::bigint AND "offset" < $3::bigint
        """
    )
    private static let events = Statement(
        """
        SELECT "offset", timestamp, event_version, size, event_id, causation_id, event_type, correlation_id, headers,
            event_data
        FROM events WHERE stream_id = $1::bigint AND "offset" >= $2::bigint AND "offset" < $3::bigint
        ORDER BY "offset"
        """
    )

    let head: Int64
    private let stream: StreamDirectory.Entry
    private let session: Session
    private var known: [Int64: EventType] = [:]
    private var range: Range<Int64> = 0..<0
    private var knownKeys: [Int64: PartitionKey] = [:]
    private var keyRange: Range<Int64> = 0..<0

    init(_ stream: StreamDirectory.Entry, head: Int64, _ session: Session) {
        self.stream = stream
        self.head = head
        self.session = session
    }

    func type(at offset: Int64) throws(EventStreamingError) -> EventType {
        if !range.contains(offset) {
            try readTypes(from: offset)
        }
        // An event that was trimmed this very moment is wanted by nobody.
        return known[offset] ?? EventType(name: "")
    }

    func key(at offset: Int64) throws(EventStreamingError) -> PartitionKey {
        if !keyRange.contains(offset) {
            keyRange = page(from: offset)
            let rows = try rows(Self.keys, keyRange)
            knownKeys.removeAll(keepingCapacity: true)
            for row in 0..<rows.count {
                knownKeys[rows.int64(row, 0)] = PartitionKey(
                    header: rows.isNull(row, 3) ? nil : HeaderText.partitionKey(in: rows.bytes(row, 3)),
                    correlationID: rows.optionalText(row, 2),
                    id: rows.id(row, 1)
                )
            }
        }
        return knownKeys[offset] ?? PartitionKey(hash: 0)
    }

    private func page(from offset: Int64) -> Range<Int64> {
        offset..<min(head, offset.addingReportingOverflow(Self.page).partialValue)
    }

    private func rows(_ statement: Statement, _ range: Range<Int64>) throws(EventStreamingError) -> Rows {
        try session.rows(statement) { parameters in
            parameters.add(stream.id)
            parameters.add(range.lowerBound)
            parameters.add(range.upperBound)
        }
    }

    private func readTypes(from offset: Int64) throws(EventStreamingError) {
        range = page(from: offset)
        let rows = try rows(Self.types, range)
        known.removeAll(keepingCapacity: true)
        for row in 0..<rows.count {
            known[rows.int64(row, 0)] = EventType(name: rows.text(row, 1), version: Int(rows.int64(row, 2)))
        }
    }

    private static let scatteredEvents = Statement(
        """
        SELECT "offset", timestamp, event_version, size, event_id, causation_id, event_type, correlation_id, headers,
            event_data
        FROM events
        WHERE stream_id = $1::bigint AND "offset" = ANY ($2::bigint[]) AND "offset" >= $3::bigint AND "offset" < $4::bigint
        ORDER BY "offset"
        """
    )

    /// What reads the events at offsets, beside something else.
    static func reading(_ offsets: OffsetRanges, of stream: Int64) -> Command {
        let span = offsets.span
        guard offsets.ranges.count > 1 else { return reading(span, of: stream) }
        return Command(scatteredEvents) { parameters in
            parameters.add(stream)
            parameters.add(offsets.ranges.flatMap { Array($0) })
            parameters.add(span.lowerBound)
            parameters.add(span.upperBound)
        }
    }

    /// What reads all events in a range, beside something else.
    static func reading(_ offsets: Range<Int64>, of stream: Int64) -> Command {
        Command(events) { parameters in
            parameters.add(stream)
            parameters.add(offsets.lowerBound)
            parameters.add(offsets.upperBound)
        }
    }

    /// The events at offsets, as far as they are still there.
    func events(at offsets: OffsetRanges) throws(EventStreamingError) -> [StoredEvent] {
        guard !offsets.isEmpty else { return [] }
        let span = offsets.span
        let rows = try session.rows([Self.reading(span, of: stream.id)])
        let events = try EventReader.events(rows[0])
        let ranges = offsets.ranges
        guard ranges.count > 1 else { return events }
        var index = 0
        return events.filter { event in
            while index < ranges.count, ranges[index].upperBound <= event.offset.rawValue { index += 1 }
            return index < ranges.count && ranges[index].contains(event.offset.rawValue)
        }
    }
}
#endif
