#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Makes events of the rows of a page.
///
/// What repeats from row to row is made once: most pages have few types, and the events of one commit share a context.
struct EventReader {
    /// The columns that ``event(_:_:)`` expects, in this order.
    static let columns: StaticString = """
        "offset", timestamp, event_version, size, event_id, causation_id, event_type, correlation_id, headers, event_data
        """

    private struct TypeKey: Equatable {
        let version: Int64
        let name: [UInt8]
    }

    private var types: [(key: TypeKey, type: EventType)] = []
    private var lastContext: (correlation: [UInt8], causation: MessageID?, context: EventContext)?

    /// The event of a row.
    ///
    /// - Throws: `storeDamaged` when the correlation id or the headers are none.
    mutating func event(_ rows: Rows, _ row: Int) throws(EventStreamingError) -> StoredEvent {
        let data = rows.bytes(row, 9)
        let offset = rows.int64(row, 0)
        return StoredEvent(
            offset: StreamOffset(offset),
            timestamp: Timestamp(nanosecondsSinceEpoch: rows.int64(row, 1)),
            id: rows.id(row, 4),
            type: type(rows.bytes(row, 6), version: rows.int64(row, 2)),
            payload: .encoded(Array(data)),
            size: rows.isNull(row, 3) ? data.count : Int(rows.int64(row, 3)),
            context: try context(rows, row, offset: offset)
        )
    }

    /// The events of all rows.
    static func events(_ rows: Rows) throws(EventStreamingError) -> [StoredEvent] {
        var reader = EventReader()
        var events: [StoredEvent] = []
        events.reserveCapacity(rows.count)
        for row in 0..<rows.count {
            events.append(try reader.event(rows, row))
        }
        return events
    }

    /// The events of all rows that can be read, and why others cannot.
    static func readable(_ rows: Rows) -> (events: [StoredEvent], damage: [Int64: EventStreamingError]) {
        var reader = EventReader()
        var events: [StoredEvent] = []
        var damage: [Int64: EventStreamingError] = [:]
        events.reserveCapacity(rows.count)
        for row in 0..<rows.count {
            do throws(EventStreamingError) {
                events.append(try reader.event(rows, row))
            } catch {
                damage[rows.int64(row, 0)] = error
            }
        }
        return (events, damage)
    }

    private mutating func type(_ name: UnsafeRawBufferPointer, version: Int64) -> EventType {
        if let known = types.first(where: { $0.key.version == version && $0.key.name.elementsEqual(name) }) {
            return known.type
        }
        let type = EventType(name: String(decoding: name, as: UTF8.self), version: Int(version))
        if types.count == 32 {
            types.removeFirst()
        }
        types.append((TypeKey(version: version, name: Array(name)), type))
        return type
    }

    private mutating func context(
        _ rows: Rows,
        _ row: Int,
        offset: Int64
    ) throws(EventStreamingError) -> EventContext {
        let hasHeaders = !rows.isNull(row, 8)
        let hasCorrelation = !rows.isNull(row, 7)
        let causation = rows.optionalID(row, 5)
        guard hasHeaders || hasCorrelation || causation != nil else { return .empty }
        let correlation = rows.bytes(row, 7)
        if !hasHeaders, let lastContext, lastContext.causation == causation,
            lastContext.correlation.elementsEqual(correlation)
        {
            return lastContext.context
        }
        var headers: [String: String] = [:]
        if hasHeaders {
            guard let read = HeaderText.headers(of: rows.bytes(row, 8)) else {
                throw EventStreamingError(
                    .storeDamaged,
                    "The database is damaged: the event at offset \(offset) has headers that are no JSON object of strings."
                )
            }
            headers = read
        }
        let context = EventContext(
            correlationID: hasCorrelation ? try rows.name(row, 7) : nil,
            causationID: causation,
            headers: headers
        )
        if !hasHeaders {
            lastContext = (Array(correlation), causation, context)
        }
        return context
    }
}
#endif
