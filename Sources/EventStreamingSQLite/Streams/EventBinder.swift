import EventStreamingCore
import EventStreamingStoreKit

/// Binds events to the statement that inserts them. Parameters keep their values from row to row, so what neighbours
/// share is bound once.
struct EventBinder {
    private let statement: SQLiteStatement
    private var type: EventType?
    private var context: EventContext?

    /// - Parameter timestamp: The time of all events.
    init(_ statement: SQLiteStatement, timestamp: Int64) {
        self.statement = statement
        statement.bind(2, timestamp)
    }

    /// Inserts one event, whose payload is bytes.
    ///
    /// - Returns: Whether the id was new.
    mutating func insert(_ event: NewEvent, position: Int64, bytesBefore: Int64) throws(SQLiteFailure) -> Bool {
        guard case .encoded(let payload) = event.payload else { return false }
        statement.bind(1, position)
        statement.bind(3, bytesBefore)
        event.id.withBytes { statement.bind(4, copied: $0) }
        bind(event.type)
        statement.bind(7, event.size == payload.count ? nil : Int64(event.size))
        bind(event.context)
        let result = payload.withUnsafeBytes { bytes in
            statement.bind(11, unmoved: bytes)
            return Result { () throws(SQLiteFailure) in try run() }
        }
        return try result.get()
    }

    private mutating func bind(_ type: EventType) {
        guard type != self.type else { return }
        self.type = type
        statement.bind(5, type.name)
        statement.bind(6, Int64(type.version))
    }

    private mutating func bind(_ context: EventContext) {
        guard context !== self.context else { return }
        self.context = context
        statement.bind(8, context.correlationID?.rawValue)
        if let causationID = context.causationID {
            causationID.withBytes { statement.bind(9, copied: $0) }
        } else {
            statement.bindNull(9)
        }
        statement.bind(10, HeaderText.text(of: context.headers))
    }

    private func run() throws(SQLiteFailure) -> Bool {
        defer { statement.reset() }
        do throws(SQLiteFailure) {
            _ = try statement.step()
            return true
        } catch {
            guard error.isRepeatedKey else { throw error }
            return false
        }
    }
}
