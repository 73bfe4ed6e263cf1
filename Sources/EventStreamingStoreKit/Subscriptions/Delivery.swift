package import EventStreamingCore

/// Offsets that share one fate: held by a consumer under one lease, or waiting to be delivered again.
package struct Delivery: Sendable {
    package enum Phase: Sendable {
        /// Held under the registration with epoch `holder` until `expiry`.
        case leased(holder: UInt64, expiry: Duration)
        /// To be delivered again from `due` on.
        case waiting(due: Duration)
    }

    /// The failures so far. Apart from the rest because most deliveries never have one.
    package final class Failure: Sendable {
        package let first: Timestamp
        package let last: Timestamp
        package let reason: String

        package init(first: Timestamp, last: Timestamp, reason: String) {
            self.first = first
            self.last = last
            self.reason = reason
        }

        convenience init(at time: Timestamp, reason: String, after earlier: Failure?) {
            self.init(first: earlier?.first ?? time, last: time, reason: reason)
        }
    }

    /// An event that returns from the dead-letter stream. Its offset may be trimmed long ago, and has no influence on the
    /// position.
    package final class Redriven: Sendable {
        package let event: StoredEvent

        package init(_ event: StoredEvent) {
            self.event = event
        }
    }

    package var phase: Phase
    /// What the lease covers, offsets that are not delivered included.
    package var span: Range<Int64>
    /// What was handed out or will be.
    package var scheduled: OffsetRanges
    /// What is not settled.
    package var remaining: OffsetRanges
    /// How many deliveries count, the present one included.
    package var attempts = 0
    package var failure: Failure?
    package var redriven: Redriven?
    /// In a consumer group, the partition keys of the events, and perhaps of others; `nil` in other modes.
    package var keys: EventKeys?

    package init(
        phase: Phase,
        span: Range<Int64>,
        scheduled: OffsetRanges,
        remaining: OffsetRanges,
        attempts: Int = 0,
        failure: Failure? = nil,
        redriven: Redriven? = nil,
        keys: EventKeys? = nil
    ) {
        self.phase = phase
        self.span = span
        self.scheduled = scheduled
        self.remaining = remaining
        self.attempts = attempts
        self.failure = failure
        self.redriven = redriven
        self.keys = keys
    }

    /// The partition keys as they are written down: one for each offset in ``scheduled``.
    package var scheduledKeys: [PartitionKey]? { keys?.keys(of: scheduled) }

    /// Whether the events were never delivered, nor given up.
    var isFresh: Bool { attempts == 0 && failure == nil && redriven == nil }

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
