import EventStreamingCore
import EventStreamingStoreKit

/// What the writer has in memory, to be brought back when a part of a transaction is given up. Cheap: what is large in it
/// is shared until it changes.
struct WriterMemory {
    fileprivate struct Stream {
        let entry: StreamEntry
        let capacity: Int?
        let overflow: OverflowPolicy
        let retention: RetentionPolicy
        let numbers: [Int64]
        let floor: RetentionFloor
        let isChanged: Bool
    }

    fileprivate let streams: [Stream]
    fileprivate let subscriptions: [(entry: SubscriptionEntry, state: SubscriptionState, isChanged: Bool)]
    fileprivate let expired: [ConsumerRegistration]
    fileprivate let changedStreams: Set<StreamName>
}

extension Writer {
    /// What is in memory now. Streams and subscriptions are neither made nor removed in a part of a transaction.
    var memory: WriterMemory {
        WriterMemory(
            streams: streams.values.map { stream in
                WriterMemory.Stream(
                    entry: stream,
                    capacity: stream.capacity,
                    overflow: stream.overflow,
                    retention: stream.retention,
                    numbers: stream.numbers,
                    floor: stream.floor,
                    isChanged: stream.isChanged
                )
            },
            subscriptions: subscriptions.values.map { ($0, $0.state, $0.isChanged) },
            expired: expired,
            changedStreams: changedStreams
        )
    }

    /// Brings back what was in memory.
    func restore(_ memory: WriterMemory) {
        for stream in memory.streams {
            stream.entry.capacity = stream.capacity
            stream.entry.overflow = stream.overflow
            stream.entry.retention = stream.retention
            stream.entry.numbers = stream.numbers
            stream.entry.floor = stream.floor
            stream.entry.isChanged = stream.isChanged
        }
        for (entry, state, isChanged) in memory.subscriptions {
            entry.state = state
            entry.isChanged = isChanged
        }
        expired = memory.expired
        changedStreams = memory.changedStreams
    }
}

extension StreamEntry {
    /// Everything about the stream that appending and trimming changes.
    fileprivate var numbers: [Int64] {
        get { [first, head, deleted, dropped, bytesTrimmed, bytesAppended, timestamp] }
        set {
            guard newValue.count == 7 else { return }
            first = newValue[0]
            head = newValue[1]
            deleted = newValue[2]
            dropped = newValue[3]
            bytesTrimmed = newValue[4]
            bytesAppended = newValue[5]
            timestamp = newValue[6]
        }
    }
}
