import EventStreamingCore
import EventStreamingStoreKit

/// A stream as a subscription looks at it: the types and keys of its events, read one after the other.
final class StreamLog: SubscriptionLog {
    let head: Int64
    /// Why something could not be told: what the subscription was about to do is of no use then.
    private(set) var failure: (any Error)?

    private let stream: StreamEntry
    private let query: SQLiteStatement
    /// The offset whose row the query is at.
    private var place: Int64?
    private var last: (name: String, type: EventType)?

    init(_ stream: StreamEntry, query: SQLiteStatement) {
        self.stream = stream
        self.query = query
        head = stream.head
    }

    func type(at offset: Int64) throws(EventStreamingError) -> EventType {
        try read(offset) { type }
    }

    func key(at offset: Int64) throws(EventStreamingError) -> PartitionKey {
        try read(offset) {
            PartitionKey(
                header: HeaderText.partitionKey(in: query.bytes(5)),
                correlationID: query.optionalText(4),
                id: try MessageID(query.bytes(3))
            )
        }
    }

    /// Calls `body` when the query is at the event's row.
    private func read<Result>(_ offset: Int64, _ body: () throws -> Result) throws(EventStreamingError) -> Result {
        do {
            if offset != place {
                if place == nil || place != offset - 1 {
                    query.reset()
                    let positions = stream.positions(offset..<head)
                    query.bind(1, positions.lowerBound)
                    query.bind(2, positions.upperBound)
                }
                place = nil
                guard try query.step(), EventPosition.offset(query.int(0)) == offset else {
                    throw Damage(what: "event \(offset) of stream '\(stream.name)' is missing")
                }
                place = offset
            }
            return try body()
        } catch {
            failure = error
            throw EventStreamingError(.storeUnavailable, "Event \(offset) cannot be read.")
        }
    }

    private var type: EventType {
        let name = query.text(1)
        let version = Int(truncatingIfNeeded: query.int(2))
        if let last, last.name == name, last.type.version == version { return last.type }
        let type = EventType(name: name, version: version)
        last = (name, type)
        return type
    }

    /// To be called when nothing is asked any more.
    func close() {
        query.reset()
    }
}
