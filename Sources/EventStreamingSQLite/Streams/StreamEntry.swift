import EventStreamingCore
import EventStreamingStoreKit

/// A stream as the writer knows it: what its row says, with what the transaction under way has changed.
final class StreamEntry {
    let id: Int64
    let name: StreamName
    let type: StreamType
    var capacity: Int?
    var overflow: OverflowPolicy
    var retention = RetentionPolicy.forever
    /// The oldest offset kept. Exact at once; the rows before it are removed little by little.
    var first: Int64 = 0
    var head: Int64 = 0
    /// Rows before this offset are removed.
    var deleted: Int64 = 0
    var dropped: Int64 = 0
    /// The payload bytes of all events before ``first``.
    var bytesTrimmed: Int64 = 0
    /// The payload bytes of all events ever.
    var bytesAppended: Int64 = 0
    /// The time of the newest event; no later one is earlier.
    var timestamp: Int64 = .min

    /// The subscriptions that follow the stream.
    var subscriptions: [SubscriptionEntry] = []
    var floor = RetentionFloor()
    /// Whether the row has to be written.
    var isChanged = false

    init(id: Int64, name: StreamName, type: StreamType, capacity: Int? = nil, overflow: OverflowPolicy) {
        self.id = id
        self.name = name
        self.type = type
        self.capacity = capacity
        self.overflow = overflow
    }

    var count: Int64 { head - first }

    /// The keys of a range of the stream's offsets.
    func positions(_ offsets: Range<Int64>) -> Range<Int64> {
        EventPosition.range(id, offsets)
    }
}
