import EventStreamingCore
import EventStreamingStoreKit

/// Makes events of rows, and lets neighbours share what is equal in them: the type, and the context of what was emitted
/// together.
struct EventRows {
    /// The columns in the order in which ``event(from:)`` expects them.
    static let columns = """
        position, timestamp, event_id, event_type, event_version, size, correlation_id, causation_id, headers, event_data
        """

    private var typeName: [UInt8] = []
    private var type: EventType?
    private var contextBytes: [[UInt8]?] = [nil, nil, nil]
    private var context = EventContext.empty

    /// The event of the row that a statement is at.
    mutating func event(from row: SQLiteStatement) throws -> StoredEvent {
        let data = row.bytes(9)
        return StoredEvent(
            offset: StreamOffset(EventPosition.offset(row.int(0))),
            timestamp: Timestamp(nanosecondsSinceEpoch: row.int(1)),
            id: try MessageID(row.bytes(2)),
            type: type(from: row),
            payload: .encoded(Array(data)),
            size: row.optionalInt(5).flatMap { Int(exactly: $0) } ?? data.count,
            context: try context(from: row)
        )
    }

    private mutating func type(from row: SQLiteStatement) -> EventType {
        let name = row.bytes(3)
        let version = Int(truncatingIfNeeded: row.int(4))
        if let type, type.version == version, Self.isSame(name, typeName) {
            return type
        }
        let made = EventType(name: String(decoding: name, as: UTF8.self), version: version)
        typeName = Array(name)
        type = made
        return made
    }

    private mutating func context(from row: SQLiteStatement) throws -> EventContext {
        let isEmpty = row.isNull(6) && row.isNull(7) && row.isNull(8)
        guard !isEmpty else { return .empty }
        if isSameContext(6, of: row), isSameContext(7, of: row), isSameContext(8, of: row) {
            return context
        }
        let made = EventContext(
            correlationID: try row.optionalText(6).map { try WorkflowID($0) },
            causationID: row.isNull(7) ? nil : try MessageID(row.bytes(7)),
            headers: row.isNull(8) ? [:] : try Self.headers(row.bytes(8))
        )
        for column in 6...8 {
            contextBytes[column - 6] = row.isNull(Int32(column)) ? nil : Array(row.bytes(Int32(column)))
        }
        context = made
        return made
    }

    private func isSameContext(_ column: Int32, of row: SQLiteStatement) -> Bool {
        guard let bytes = contextBytes[Int(column) - 6] else { return row.isNull(column) }
        return !row.isNull(column) && Self.isSame(row.bytes(column), bytes)
    }

    private static func isSame(_ bytes: UnsafeRawBufferPointer, _ other: [UInt8]) -> Bool {
        bytes.count == other.count && other.withUnsafeBytes { $0.elementsEqual(bytes) }
    }

    private static func headers(_ bytes: UnsafeRawBufferPointer) throws -> [String: String] {
        guard let headers = HeaderText.headers(of: bytes) else {
            throw EventStreamingError(.storeDamaged, "The headers of an event are not what this store writes.")
        }
        return headers
    }
}

extension MessageID {
    /// The id in a column: sixteen bytes, most significant first.
    init(_ bytes: UnsafeRawBufferPointer) throws(EventStreamingError) {
        guard bytes.count == 16 else {
            throw EventStreamingError(.storeDamaged, "The id of an event is not what this store writes.")
        }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }

    /// Lends the id as sixteen bytes, most significant first.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian), body)
    }
}
