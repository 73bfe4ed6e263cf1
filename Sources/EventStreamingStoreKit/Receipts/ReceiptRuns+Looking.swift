package import EventStreamingCore

extension ReceiptRuns {
    /// How many offsets of `range` are unread.
    package func unreadCount(in range: Range<Int64>) -> Int {
        runs[overlapping(range)].reduce(0) { count, run in
            run.status.isUnread ? count + run.offsets.clamped(to: range).count : count
        }
    }

    /// What is unread in `range`, in order; at most `limit` offsets, the last run cut where it has more.
    package func unread(in range: Range<Int64>, limit: Int) -> [ReceiptRun] {
        runs[overlapping(range)].lazy
            .filter { $0.status.isUnread }
            .map { $0.with($0.offsets.clamped(to: range)) }
            .prefix(events: limit)
    }

    /// The run with an offset, just for that offset.
    package func run(at offset: Int64) -> ReceiptRun? {
        guard offset < .max else { return nil }
        let range = offset..<offset + 1
        return runs[overlapping(range)].first?.with(range)
    }

    /// What was delivered at `time` or earlier, is unread, and does not wait to be delivered again; the oldest first.
    package func overdue(since time: Timestamp, keepingFrom first: Int64) -> [ReceiptRun] {
        let overdue = runs.compactMap { run -> ReceiptRun? in
            guard run.status == .delivered, run.deliveredAt <= time, first < run.offsets.upperBound else { return nil }
            return run.with(max(first, run.offsets.lowerBound)..<run.offsets.upperBound)
        }
        return overdue.sorted { left, right in
            (left.deliveredAt, left.offsets.lowerBound) < (right.deliveredAt, right.offsets.lowerBound)
        }
    }

    /// When the oldest of what is unread and does not wait to be delivered again was delivered.
    package func oldestDelivery(keepingFrom first: Int64) -> Timestamp? {
        runs.lazy.filter { $0.status == .delivered && first < $0.offsets.upperBound }.map(\.deliveredAt).min()
    }

    // MARK: - Writing down

    /// What has to be written to get from earlier runs to these.
    package func changes(from old: ReceiptRuns) -> ReceiptRunChanges {
        var changes = ReceiptRunChanges()
        var index = 0
        for run in runs {
            while index < old.runs.count, old.runs[index].offsets.lowerBound < run.offsets.lowerBound {
                changes.removed.append(old.runs[index].offsets.lowerBound)
                index += 1
            }
            guard index < old.runs.count, old.runs[index].offsets.lowerBound == run.offsets.lowerBound else {
                changes.written.append(run)
                continue
            }
            if old.runs[index] != run {
                changes.written.append(run)
            }
            index += 1
        }
        changes.removed += old.runs[index...].map(\.offsets.lowerBound)
        return changes
    }
}

/// The rows of a user's receipts that change. A row is named by its first offset.
package struct ReceiptRunChanges: Sendable, Equatable {
    /// The first offsets of the rows to delete.
    package internal(set) var removed: [Int64] = []
    /// The rows that are new, or take the place of the one with the same first offset.
    package internal(set) var written: [ReceiptRun] = []

    package var isEmpty: Bool { removed.isEmpty && written.isEmpty }

    package init() {}
}

extension Sequence<ReceiptRun> {
    /// As many runs as have `limit` events in all; the last is cut where it has more.
    package func prefix(events limit: Int) -> [ReceiptRun] {
        var missing = limit
        var result: [ReceiptRun] = []
        for run in self {
            guard missing > 0 else { break }
            let count = Swift.min(missing, run.offsets.count)
            result.append(run.with(run.offsets.lowerBound..<run.offsets.lowerBound + Int64(count)))
            missing -= count
        }
        return result
    }
}
