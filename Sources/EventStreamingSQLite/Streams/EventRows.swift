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
    private var lastCorrelationID: [UInt8] = []
    private var lastCausationID: [UInt8] = []
    private var lastHeaders: [UInt8] = []
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
        // None of them is ever empty where it is not missing.
        let (correlationID, causationID, headers) = (row.bytes(6), row.bytes(7), row.bytes(8))
        guard !correlationID.isEmpty || !causationID.isEmpty || !headers.isEmpty else { return .empty }
        if Self.isSame(correlationID, lastCorrelationID), Self.isSame(causationID, lastCausationID),
            Self.isSame(headers, lastHeaders)
        {
            return context
        }
        context = EventContext(
            correlationID: correlationID.isEmpty ? nil : try Self.workflowID(correlationID),
            causationID: causationID.isEmpty ? nil : try MessageID(causationID),
            headers: headers.isEmpty ? [:] : try Self.headers(headers)
        )
        lastCorrelationID = Array(correlationID)
        lastCausationID = Array(causationID)
        lastHeaders = Array(headers)
        return context
    }

    /// Compares eight bytes at a time: this is done for every row.
    private static func isSame(_ bytes: UnsafeRawBufferPointer, _ other: [UInt8]) -> Bool {
        guard bytes.count == other.count else { return false }
        return other.withUnsafeBytes { other in
            var index = 0
            while index + 8 <= bytes.count {
                let left = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                guard left == other.loadUnaligned(fromByteOffset: index, as: UInt64.self) else { return false }
                index += 8
            }
            while index < bytes.count {
                guard bytes[index] == other[index] else { return false }
                index += 1
            }
            return true
        }
    }

    private static func workflowID(_ bytes: UnsafeRawBufferPointer) throws -> WorkflowID {
        guard let id = try? WorkflowID(String(decoding: bytes, as: UTF8.self)) else {
            throw EventStreamingError(.storeDamaged, "The correlation id of an event is not what this store writes.")
        }
        return id
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
