import EventStreamingCore

/// Offsets that share one fate: held by a consumer under one lease, or waiting to be delivered again.
struct Delivery: Sendable {
    enum Phase: Sendable {
        /// Held under the registration with epoch `holder` until `expiry`.
        case leased(holder: UInt64, expiry: Duration)
        /// To be delivered again from `due` on.
        case waiting(due: Duration)
    }

    /// The failures so far. Apart from the rest because most deliveries never have one.
    final class Failure: Sendable {
        let first: Timestamp
        let last: Timestamp
        let reason: String

        init(at time: Timestamp, reason: String, after earlier: Failure?) {
            first = earlier?.first ?? time
            last = time
            self.reason = reason
        }
    }

    /// An event that returns from the dead-letter stream. Its offset may be trimmed long ago, and has no influence on the
    /// position.
    final class Redriven: Sendable {
        let event: StoredEvent

        init(_ event: StoredEvent) {
            self.event = event
        }
    }

    var phase: Phase
    /// What the lease covers, offsets that are not delivered included.
    var span: Range<Int64>
    /// What was handed out or will be.
    var scheduled: OffsetRanges
    /// What is not settled.
    var remaining: OffsetRanges
    /// How many deliveries count, the present one included.
    var attempts = 0
    var failure: Failure?
    var redriven: Redriven?

    var expiry: Duration? {
        if case .leased(_, let expiry) = phase { expiry } else { nil }
    }

    var due: Duration? {
        if case .waiting(let due) = phase { due } else { nil }
    }

    /// The lowest offset that keeps the position from moving up.
    var lowestPinned: Int64? {
        redriven == nil ? remaining.lowest : nil
    }

    /// What is not settled, in parts without a settled offset in between. Offsets that were never scheduled, because the
    /// filter passes over them, do not part.
    var remainingRuns: [OffsetRanges] {
        var runs: [OffsetRanges] = []
        for range in remaining.ranges {
            if let last = runs.last, scheduled.count(in: last.span.upperBound..<range.lowerBound) == 0 {
                runs[runs.count - 1].formUnion(OffsetRanges(range))
            } else {
                runs.append(OffsetRanges(range))
            }
        }
        return runs
    }
}

/// The order in which waiting deliveries come: by time, then by offset.
struct DueRank: Comparable, Sendable {
    let due: Duration
    let offset: Int64

    static func < (left: DueRank, right: DueRank) -> Bool {
        left.due == right.due ? left.offset < right.offset : left.due < right.due
    }
}
