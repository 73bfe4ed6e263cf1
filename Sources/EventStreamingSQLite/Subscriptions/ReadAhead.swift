import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

/// Guesses which events a consumer gets next, so that they can be read while the writer waits for the disk.
///
/// A consumer that was handed out one page right after the other probably goes on so. Where several take turns, nobody
/// does, and nothing is read in vain.
final class ReadAhead: Sendable {
    /// Where the newest lease of a subscription ended.
    private struct Run {
        let holder: UInt64
        let stream: Int64
        let end: Int64
        /// Whether the lease before was the same consumer's, and ended where this one began.
        let isSteady: Bool
    }

    private let runs = Mutex<[SubscriptionID: Run]>([:])

    /// The events that a consumer probably gets, and the number of their stream.
    func guess(for consumer: ConsumerRegistration, limit: Int) -> (stream: Int64, offsets: Range<Int64>)? {
        runs.withLock { runs in
            guard let run = runs[consumer.subscription], run.isSteady, run.holder == consumer.epoch else { return nil }
            let end = run.end.addingReportingOverflow(Int64(min(limit, Limits.eventsPerLease)))
            return end.overflow ? nil : (run.stream, run.end..<end.partialValue)
        }
    }

    /// Takes note of a lease.
    func note(_ offsets: OffsetRanges, of stream: Int64, leasedTo consumer: ConsumerRegistration) {
        let span = offsets.span
        runs.withLock { runs in
            let last = runs[consumer.subscription]
            let isSteady = last?.holder == consumer.epoch && last?.end == span.lowerBound
            runs[consumer.subscription] = Run(
                holder: consumer.epoch,
                stream: stream,
                end: span.upperBound,
                isSteady: isSteady
            )
        }
    }

    /// Picks the events at offsets out of those that were read; `nil` when some are not among them.
    static func events(at offsets: OffsetRanges, in page: [StoredEvent]) -> [StoredEvent]? {
        guard offsets.ranges.count == 1, let first = page.first?.offset.rawValue else { return nil }
        let span = offsets.span
        guard first <= span.lowerBound, span.upperBound - first <= Int64(page.count) else { return nil }
        let begin = Int(span.lowerBound - first)
        let events = page[begin..<begin + span.count]
        // A stream has an event at every offset; a page that has not was read while some were removed.
        guard events.first?.offset.rawValue == span.lowerBound, events.last?.offset.rawValue == span.upperBound - 1
        else {
            return nil
        }
        return events.count == page.count ? page : Array(events)
    }
}
