import EventStreamingCore

/// The leases whose events were sent to a peer and are not settled: as many as its credit allows, never more.
struct LeaseBook: Sendable {
    private struct Entry: Sendable {
        /// The offsets of the events sent, in order.
        let offsets: [Int64]
        var remaining: Int
        /// When the store ends the lease, unless it is extended.
        var end: Duration
    }

    private var entries: [UInt64: Entry] = [:]

    /// How many events were sent and are not settled.
    private(set) var unsettled = 0

    var isEmpty: Bool { entries.isEmpty }
    /// The leases, to be given back.
    var epochs: [UInt64] { entries.keys.sorted() }

    mutating func add(_ lease: Lease, until end: Duration) {
        entries[lease.epoch] = Entry(
            offsets: lease.events.map(\.offset.rawValue),
            remaining: lease.events.count,
            end: end
        )
        unsettled += lease.events.count
    }

    /// Takes note of what the store has recorded.
    mutating func settled(_ settlement: Settlement) {
        guard var entry = entries[settlement.leaseEpoch] else { return }
        guard !settlement.releasesRest else { return forget(settlement.leaseEpoch) }
        var count = 0
        for range in settlement.completed {
            count += entry.offsets.count(in: range)
        }
        for rejection in settlement.rejections {
            count += entry.offsets.count(in: rejection.offsets)
        }
        count = min(count, entry.remaining)
        entry.remaining -= count
        unsettled -= count
        entries[settlement.leaseEpoch] = entry.remaining > 0 ? entry : nil
    }

    /// Forgets a lease that the store has ended.
    mutating func forget(_ epoch: UInt64) {
        guard let entry = entries.removeValue(forKey: epoch) else { return }
        unsettled -= entry.remaining
    }

    /// Takes note that leases were extended.
    mutating func extended(_ epochs: Set<UInt64>, until end: Duration) {
        for epoch in epochs {
            entries[epoch]?.end = end
        }
    }

    /// Forgets leases that nobody extended; the store has ended them by itself.
    mutating func forgetExpired(now: Duration) {
        for (epoch, entry) in entries where entry.end < now {
            forget(epoch)
        }
    }
}

extension [Int64] {
    /// How many of these numbers, which are in order, are in the range.
    fileprivate func count(in range: Range<StreamOffset>) -> Int {
        position(of: range.upperBound.rawValue) - position(of: range.lowerBound.rawValue)
    }

    /// How many of these numbers are below `number`.
    private func position(of number: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < number {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
