import EventStreamingCore

@testable import EventStreamingStoreKit

/// The receipts of a user, one for each event: slow and obvious.
struct ReceiptModel {
    struct Entry: Equatable {
        var status: ReadReceipt.Status
        var deliveredAt: Timestamp
        var readAt: Timestamp?
        var deliveries: Int
        /// Whether it shared its times with neighbours once, because it had expired.
        var wasExpired = false
    }

    enum Outcome: Equatable {
        case read(Int)
        case refused(EventStreamingError.Code)
    }

    private(set) var entries: [Int64: Entry] = [:]

    mutating func trim(before first: Int64) {
        entries = entries.filter { $0.key >= first }
    }

    mutating func markDelivered(_ offsets: some Sequence<Int64>, at time: Timestamp) {
        for offset in offsets {
            guard let entry = entries[offset] else {
                entries[offset] = Entry(status: .delivered, deliveredAt: time, readAt: nil, deliveries: 1)
                continue
            }
            if entry.status == .delivered || entry.status == .requeued {
                entries[offset] = Entry(
                    status: .delivered,
                    deliveredAt: time,
                    readAt: nil,
                    deliveries: entry.deliveries + 1,
                    wasExpired: entry.wasExpired
                )
            }
        }
    }

    mutating func markRead(_ offsets: [Int64], at time: Timestamp) -> Outcome {
        for offset in offsets.sorted() {
            guard let entry = entries[offset] else { return .refused(.notDelivered) }
            if entry.status == .expired {
                return .refused(.receiptExpired)
            }
        }
        return .read(read(offsets, at: time))
    }

    mutating func markUnread(before end: Int64?, at time: Timestamp) -> Int {
        read(Array(entries.keys).filter { $0 < end ?? .max }, at: time)
    }

    private mutating func read(_ offsets: [Int64], at time: Timestamp) -> Int {
        var count = 0
        for offset in Set(offsets) where entries[offset]?.status == .delivered || entries[offset]?.status == .requeued {
            entries[offset]?.status = .read
            entries[offset]?.readAt = time
            count += 1
        }
        return count
    }

    mutating func move(
        _ offsets: some Sequence<Int64>,
        from old: ReadReceipt.Status,
        to new: ReadReceipt.Status
    ) {
        for offset in offsets where entries[offset]?.status == old {
            entries[offset]?.status = new
            if new == .expired {
                entries[offset]?.wasExpired = true
            }
        }
    }

    // MARK: - Comparing

    /// What differs from runs; `nil` when nothing does. Times and counts of what is finished may be those of a later
    /// neighbour.
    func difference(to runs: ReceiptRuns, keepingFrom first: Int64) -> String? {
        var seen = 0
        for run in runs.runs {
            for offset in max(first, run.offsets.lowerBound)..<max(first, run.offsets.upperBound) {
                seen += 1
                guard let entry = entries[offset], entry.status == run.status else {
                    return "\(offset) is \(String(describing: entries[offset])), not \(run)"
                }
                let isExact = entry.deliveredAt == run.deliveredAt && entry.deliveries == run.deliveries
                let isLater = entry.deliveredAt <= run.deliveredAt && entry.deliveries <= run.deliveries
                guard isExact || ((!run.status.isUnread || entry.wasExpired) && isLater),
                    (entry.readAt == nil) == (run.readAt == nil),
                    entry.readAt ?? run.deliveredAt <= run.readAt ?? run.deliveredAt
                else { return "\(offset) is \(entry), not \(run)" }
            }
        }
        return seen == entries.count ? nil : "\(entries.count) receipts, not \(seen)"
    }
}
