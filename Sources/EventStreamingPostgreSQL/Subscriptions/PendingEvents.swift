#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

/// Events that were handed out, and are read when the group of operations is written down.
final class PendingEvents: Sendable {
    let offsets: OffsetRanges
    private let events = Mutex<[StoredEvent]>([])

    init(_ offsets: OffsetRanges) {
        self.offsets = offsets
    }

    /// What commands read, a page each, that bring the events of all of `pending`.
    static func pages(of pending: [PendingEvents]) -> [Range<Int64>] {
        var pages = OffsetRanges()
        for events in pending {
            pages.formUnion(OffsetRanges(events.offsets.span))
        }
        return pages.ranges
    }

    /// Picks out of a page what is wanted here; all of it, mostly.
    func take(from page: [StoredEvent]) {
        guard let first = page.first?.offset.rawValue, let last = page.last?.offset.rawValue,
            offsets.span.overlaps(first..<last + 1)
        else { return }
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
            if events.isEmpty {
                events = Array(page)
            } else {
                events += page
            }
        }
    }

    /// Whether none of them were there.
    var isEmpty: Bool { events.withLock { $0.isEmpty } }

    /// The events, as far as the stream still had them.
    func take() -> [StoredEvent] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
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
