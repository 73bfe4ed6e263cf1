import EventStreamingCore
import EventStreamingStoreKit

/// A stream as a subscription looks at it: the types of its events, read one after the other.
final class StreamLog: SubscriptionLog {
    let head: Int64
    /// Why a type could not be told: what the subscription was about to do is of no use then.
    private(set) var failure: (any Error)?

    private let stream: StreamEntry
    private let query: SQLiteStatement
    private var next: Int64 = -1
    private var last: (name: String, type: EventType)?

    init(_ stream: StreamEntry, query: SQLiteStatement) {
        self.stream = stream
        self.query = query
        head = stream.head
    }

    func type(at offset: Int64) throws(EventStreamingError) -> EventType {
        do {
            if offset != next {
                query.reset()
                let positions = stream.positions(offset..<head)
                query.bind(1, positions.lowerBound)
                query.bind(2, positions.upperBound)
            }
            guard try query.step(), EventPosition.offset(query.int(0)) == offset else {
                throw Damage(what: "event \(offset) of stream '\(stream.name)' is missing")
            }
            next = offset + 1
            return type
        } catch {
            failure = error
            throw EventStreamingError(.storeUnavailable, "The type of event \(offset) cannot be read.")
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
