package import EventStreamingCore

/// The receipts of one user, as few runs as possible: in order, without overlaps, neighbours merged where they can be.
///
/// A user who reads in order has one run, however much was read. A durable store need not load them all: a change of some
/// offsets needs only the runs that overlap or touch them, and comes to the same result with those. ``changes(from:)`` says
/// which rows have to be written.
///
/// What lies before the oldest event that the stream keeps counts as gone. It is left where it is until it is in the way
/// or ``removeGone(before:limit:)`` is called, so that trimming a stream costs nothing here.
package struct ReceiptRuns: Sendable, Equatable {
    /// In order.
    package private(set) var runs: [ReceiptRun] = []

    package init() {}

    /// What a store wrote down, all of it or a part.
    ///
    /// - Parameter rows: In any order. Where they overlap, because they were damaged, the one that begins later gives way.
    package init(_ rows: [ReceiptRun]) {
        runs.reserveCapacity(rows.count)
        for run in rows.sorted(by: { $0.offsets.lowerBound < $1.offsets.lowerBound }) where !run.offsets.isEmpty {
            let start = max(run.offsets.lowerBound, runs.last?.offsets.upperBound ?? .min)
            guard start < run.offsets.upperBound else { continue }
            runs.append(run.with(start..<run.offsets.upperBound))
        }
    }

    package var isEmpty: Bool { runs.isEmpty }

    // MARK: - Changing

    /// One delivery more of the offsets; what was read or given up does not change.
    package mutating func markDelivered(_ offsets: OffsetRanges, at time: Timestamp, keepingFrom first: Int64) {
        change(offsets, keepingFrom: first) { offsets, run in
            run?.with(offsets).delivered(at: time)
                ?? ReceiptRun(offsets, .delivered, deliveredAt: time, deliveries: 1)
        }
    }

    /// Marks offsets as read that were delivered; throws before it changes anything.
    ///
    /// - Parameter kept: The events that the stream keeps.
    /// - Returns: How many were not read before.
    /// - Throws: `notDelivered`, `receiptExpired`; for the lowest such offset.
    package mutating func markRead(
        _ offsets: OffsetRanges,
        at time: Timestamp,
        keeping kept: Range<Int64>
    ) throws(EventStreamingError) -> Int {
        var count = 0
        for range in offsets.ranges {
            guard kept.lowerBound <= range.lowerBound else { throw .notDelivered(range.lowerBound) }
            var next = range.lowerBound
            for run in runs[overlapping(range)] {
                guard run.offsets.lowerBound <= next else { throw .notDelivered(next) }
                guard run.status != .expired else { throw .receiptExpired(next) }
                next = min(run.offsets.upperBound, range.upperBound)
                if run.status.isUnread {
                    count += run.offsets.clamped(to: range).count
                }
            }
            guard next == range.upperBound else { throw .notDelivered(next) }
        }
        if count > 0 {
            read(offsets, at: time, keepingFrom: kept.lowerBound)
        }
        return count
    }

    /// Marks as read what is unread, before an offset where one is given.
    ///
    /// - Returns: How many there were.
    package mutating func markUnreadAsRead(
        before offset: Int64?,
        at time: Timestamp,
        keepingFrom first: Int64
    ) -> Int {
        let unread = runs[partition { $0.offsets.upperBound <= first }...].first { $0.status.isUnread }
        let start = max(first, unread?.offsets.lowerBound ?? .max)
        let end = min(offset ?? .max, runs.last?.offsets.upperBound ?? first)
        guard start < end else { return 0 }
        let count = unreadCount(in: start..<end)
        read(OffsetRanges(start..<end), at: time, keepingFrom: first)
        return count
    }

    /// Marks as read what is unread among the offsets.
    mutating func read(_ offsets: OffsetRanges, at time: Timestamp, keepingFrom first: Int64) {
        change(offsets, keepingFrom: first) { offsets, run in
            run?.with(offsets).read(at: time)
        }
    }

    /// Changes the state of those offsets that are in another.
    package mutating func move(
        _ offsets: OffsetRanges,
        from old: ReadReceipt.Status,
        to new: ReadReceipt.Status,
        keepingFrom first: Int64
    ) {
        change(offsets, keepingFrom: first) { offsets, run in
            guard var run = run?.with(offsets) else { return nil }
            if run.status == old {
                run.status = new
            }
            return run
        }
    }

    /// Removes runs with nothing but what lies before `first`.
    ///
    /// - Returns: How many were removed.
    package mutating func removeGone(before first: Int64, limit: Int) -> Int {
        let count = min(limit, partition { $0.offsets.upperBound <= first })
        runs.removeFirst(count)
        return count
    }

    /// Calls `body` with each piece of the offsets that is in one state, or in none, and puts there what it returns.
    private mutating func change(
        _ offsets: OffsetRanges,
        keepingFrom first: Int64,
        _ body: (Range<Int64>, ReceiptRun?) -> ReceiptRun?
    ) {
        for range in offsets.ranges {
            let range = max(range.lowerBound, first)..<max(range.upperBound, first)
            if !range.isEmpty {
                change(range, keepingFrom: first, body)
            }
        }
    }

    private mutating func change(
        _ range: Range<Int64>,
        keepingFrom first: Int64,
        _ body: (Range<Int64>, ReceiptRun?) -> ReceiptRun?
    ) {
        // With the neighbours, which may have to be merged.
        let low = partition { $0.offsets.upperBound < range.lowerBound }
        let high = partition { $0.offsets.lowerBound <= range.upperBound }
        var builder = ReceiptRunBuilder(keepingFrom: first)
        var next = range.lowerBound
        for run in runs[low..<max(low, high)] {
            builder.append(run.with(run.offsets.clamped(to: .min..<range.lowerBound)))
            let common = run.offsets.clamped(to: range)
            if !common.isEmpty {
                builder.append(body(next..<common.lowerBound, nil))
                builder.append(body(common, run))
                next = common.upperBound
            }
            if run.offsets.upperBound > range.upperBound {
                builder.append(body(next..<range.upperBound, nil))
                next = range.upperBound
                builder.append(run.with(max(range.upperBound, run.offsets.lowerBound)..<run.offsets.upperBound))
            }
        }
        builder.append(body(next..<range.upperBound, nil))
        runs.replaceSubrange(low..<max(low, high), with: builder.runs)
    }

    // MARK: - Looking

    /// The runs that share an offset with `range`.
    func overlapping(_ range: Range<Int64>) -> Range<Int> {
        guard !range.isEmpty else { return 0..<0 }
        let low = partition { $0.offsets.upperBound <= range.lowerBound }
        let high = partition { $0.offsets.lowerBound < range.upperBound }
        return low..<max(low, high)
    }

    /// How many runs come first for which `isBefore` holds.
    private func partition(_ isBefore: (ReceiptRun) -> Bool) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = low + (high - low) / 2
            if isBefore(runs[middle]) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}

/// Puts runs together in order, merged where they can be.
private struct ReceiptRunBuilder {
    private(set) var runs: [ReceiptRun] = []
    private let first: Int64

    init(keepingFrom first: Int64) {
        self.first = first
    }

    mutating func append(_ run: ReceiptRun?) {
        // What is in the way and counts as gone goes.
        guard let run, !run.offsets.isEmpty, first < run.offsets.upperBound else { return }
        if runs.isEmpty || !runs[runs.count - 1].merge(with: run, keepingFrom: first) {
            runs.append(run)
        }
    }
}

extension EventStreamingError {
    package static func notDelivered(_ offset: Int64) -> Self {
        Self(.notDelivered, "Event \(offset) was not delivered to this consumer, or is not kept any more.")
    }

    package static func notDelivered(_ event: MessageID) -> Self {
        Self(.notDelivered, "Event \(event) was not delivered to this consumer, or is not kept any more.")
    }

    static func receiptExpired(_ offset: Int64) -> Self {
        Self(.receiptExpired, "The time for reading event \(offset) has passed.")
    }
}
