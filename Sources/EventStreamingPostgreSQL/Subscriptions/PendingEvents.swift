#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

/// Events that were handed out, and are read when the group of operations is written down.
final class PendingEvents: Sendable {
    let offsets: OffsetRanges
    private let events = Mutex<Result<[StoredEvent], EventStreamingError>>(.success([]))

    init(_ offsets: OffsetRanges) {
        self.offsets = offsets
    }

    /// Takes what is wanted here out of a page that has all of it; the whole page, mostly.
    func take(from page: [StoredEvent]) {
        guard let first = page.first?.offset.rawValue, let last = page.last?.offset.rawValue else { return }
        if offsets.ranges.count == 1, offsets.span.contains(first), offsets.span.contains(last) {
            return append(page[...])
        }
        for range in offsets.ranges {
            // Offsets ascend, but where the stream was trimmed they do not begin with the page.
            let begin = page.partitioningIndex { $0.offset.rawValue >= range.lowerBound }
            let end = page.partitioningIndex { $0.offset.rawValue >= range.upperBound }
            append(page[begin..<end])
        }
    }

    private func append(_ page: ArraySlice<StoredEvent>) {
        events.withLock { events in
            guard case .success(var read) = events else { return }
            // Not two owners of the array while it grows.
            events = .success([])
            if read.isEmpty {
                read = Array(page)
            } else {
                read += page
            }
            events = .success(read)
        }
    }

    /// Notes which events cannot be read, as far as they are wanted here.
    func fail(_ damage: [Int64: EventStreamingError]) {
        let wanted = damage.filter { offset, _ in offsets.ranges.contains { $0.contains(offset) } }
        guard let first = wanted.min(by: { $0.key < $1.key }) else { return }
        events.withLock { $0 = .failure(first.value) }
    }

    /// Whether none of them were there.
    var isEmpty: Bool {
        events.withLock { events in
            guard case .success(let read) = events else { return false }
            return read.isEmpty
        }
    }

    /// The events, as far as the stream still had them.
    ///
    /// - Throws: Why they cannot be read. They are leased all the same.
    func take() throws(EventStreamingError) -> [StoredEvent] {
        let result = events.withLock { events in
            defer { events = .success([]) }
            return events
        }
        return try result.get()
    }
}

extension Array {
    /// The first index from which on `predicate` holds; it must hold for everything after one for which it does.
    fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if predicate(self[middle]) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }
}
#endif
