#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// What one command reads for those who were handed out events. Everybody's events are in one page, all of them: what is in
/// others besides is none of his.
struct PendingPage {
    /// What is read.
    private(set) var offsets: OffsetRanges
    /// For whom.
    private(set) var readers: [PendingEvents]

    /// The pages that bring the events of all of `pending`. Neighbours share everything between the first and the last
    /// offset, unless most of it is for nobody of them, as with a narrow filter or in a large consumer group; who wants
    /// the same shares it in any case.
    static func pages(of pending: [PendingEvents]) -> [PendingPage] {
        var dense: [PendingPage] = []
        var scattered: [PendingPage] = []
        for events in pending where !events.offsets.isEmpty {
            if events.offsets.span.count <= events.offsets.count * 2 {
                dense.append(PendingPage(offsets: OffsetRanges(events.offsets.span), readers: [events]))
            } else if let page = scattered.firstIndex(where: { $0.offsets == events.offsets }) {
                scattered[page].readers.append(events)
            } else {
                scattered.append(PendingPage(offsets: events.offsets, readers: [events]))
            }
        }
        return merged(dense) + scattered
    }

    /// One page where spans overlap or touch.
    private static func merged(_ pages: [PendingPage]) -> [PendingPage] {
        guard pages.count > 1 else { return pages }
        var merged: [PendingPage] = []
        for page in pages.sorted(by: { $0.offsets.span.lowerBound < $1.offsets.span.lowerBound }) {
            if let last = merged.last, page.offsets.span.lowerBound <= last.offsets.span.upperBound {
                merged[merged.count - 1].offsets.formUnion(page.offsets)
                merged[merged.count - 1].readers += page.readers
            } else {
                merged.append(page)
            }
        }
        return merged
    }

    /// Hands over what was read.
    ///
    /// - Parameter damage: The events that cannot be read, by their offsets, and why: only who wants them is told.
    func deliver(_ events: [StoredEvent], _ damage: [Int64: EventStreamingError]) {
        for reader in readers {
            reader.take(from: events)
            reader.fail(damage)
        }
    }
}
#endif
