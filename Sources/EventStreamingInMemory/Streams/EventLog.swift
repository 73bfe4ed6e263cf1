import EventStreamingCore
import EventStreamingStoreKit

/// The events of a stream, by offset.
struct EventLog: SubscriptionLog, Sendable {
    /// Payload bytes that trimmed events may hold in memory, because they share a segment with events that are kept.
    private static let toleratedGarbage = 65_536

    private var events = SegmentedQueue<StoredEvent>()
    /// The payload bytes of trimmed events in the first segment, which are still in memory.
    private var trimmedBytes = 0
    private var lastTimestamp = Timestamp(nanosecondsSinceEpoch: .min)
    /// The payload bytes of the events kept. Sizes are told by callers, so sums wrap rather than trap.
    private(set) var bytes = 0

    /// The offset of the oldest event kept; ``head`` when none is.
    var first: Int64 { events.start }
    /// The offset the next event gets.
    var head: Int64 { events.end }
    var count: Int { events.count }
    /// When the oldest event kept was accepted.
    var oldest: Timestamp? { events.isEmpty ? nil : events[events.start].timestamp }
    /// For tests: how many segments are held.
    var segmentCount: Int { events.segmentCount }

    /// The event at an offset from ``first`` to before ``head``.
    subscript(offset: Int64) -> StoredEvent { events[offset] }

    func type(at offset: Int64) throws(EventStreamingError) -> EventType { events[offset].type }

    func key(at offset: Int64) throws(EventStreamingError) -> PartitionKey { PartitionKey(of: events[offset]) }

    /// The event at an offset, if it is kept.
    func event(at offset: Int64) -> StoredEvent? {
        first <= offset && offset < head ? events[offset] : nil
    }

    /// The events at offsets, all of which are kept.
    func events(at offsets: OffsetRanges) -> [StoredEvent] {
        let ranges = offsets.ranges
        if ranges.count == 1 {
            return events(in: ranges[0])
        }
        var events: [StoredEvent] = []
        events.reserveCapacity(offsets.count)
        for range in ranges {
            for offset in range {
                events.append(self[offset])
            }
        }
        return events
    }

    // MARK: - Growing

    mutating func append(_ new: [NewEvent], at time: Timestamp) {
        // Wall clocks go back; the times within a stream do not.
        lastTimestamp = max(lastTimestamp, time)
        let timestamp = lastTimestamp
        let start = events.end
        var size = 0
        events.append(count: new.count) { index in
            size &+= new[index].size
            return StoredEvent(new[index], offset: StreamOffset(start + Int64(index)), timestamp: timestamp)
        }
        bytes &+= size
    }

    /// Gives out offsets for events that are not kept. Only while nothing is kept.
    mutating func skip(_ count: Int, at time: Timestamp) {
        lastTimestamp = max(lastTimestamp, time)
        events.skip(count)
    }

    // MARK: - Reading

    func events(in range: Range<Int64>) -> [StoredEvent] {
        events.elements(in: range)
    }

    func slices(in range: Range<Int64>) -> [ArraySlice<StoredEvent>] {
        events.slices(in: range)
    }

    /// The offset of the first event accepted at `time` or later.
    func offset(at time: Timestamp) -> Int64 {
        events.partition { $0.timestamp < time }
    }

    // MARK: - Trimming

    /// Removes the events before `offset`; what can be freed goes to the effects.
    mutating func trim(before offset: Int64, effects: inout Effects) {
        let limit = min(offset, head)
        guard limit > first else { return }
        if limit == head {
            bytes = 0
            trimmedBytes = 0
        } else {
            let segment = SegmentedQueue<StoredEvent>.segmentStart(of: limit)
            bytes &-= events.sum(in: first..<limit) { $0.size }
            trimmedBytes =
                (segment > first ? 0 : trimmedBytes)
                &+ events.sum(in: max(first, segment)..<limit) { $0.size }
        }
        events.trim(before: limit) { effects.discard($0) }
        if trimmedBytes > Self.toleratedGarbage || trimmedBytes < 0 {
            trimmedBytes = 0
            events.compact { effects.discard($0) }
        }
    }
}
