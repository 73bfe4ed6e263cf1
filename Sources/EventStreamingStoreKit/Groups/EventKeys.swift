package import EventStreamingCore

/// The partition keys of some events, in order of their offsets.
package struct EventKeys: Sendable {
    private var offsets: [Int64] = []
    private var keys: [PartitionKey] = []

    package init() {}

    /// The keys of the events at `offsets`, in order. One that is missing, because what was written down was damaged, is
    /// the same for all: then these events are in order with too many rather than with too few.
    package init(_ keys: [PartitionKey], of offsets: OffsetRanges) {
        for range in offsets.ranges {
            self.offsets.append(contentsOf: range)
        }
        self.keys = keys
        if keys.count != self.offsets.count {
            self.keys = Array(repeating: PartitionKey(hash: 0), count: self.offsets.count)
        }
    }

    var isEmpty: Bool { offsets.isEmpty }
    var count: Int { offsets.count }

    /// Adds the key of an event after all others.
    mutating func append(_ key: PartitionKey, at offset: Int64) {
        offsets.append(offset)
        keys.append(key)
    }

    /// The offsets.
    var ranges: OffsetRanges {
        var ranges = OffsetRanges()
        for offset in offsets {
            ranges.append(offset)
        }
        return ranges
    }

    /// Calls `body` with those events that are in `wanted`.
    func forEach(in wanted: OffsetRanges, _ body: (Int64, PartitionKey) -> Void) {
        var index = 0
        for range in wanted.ranges {
            index = firstIndex(from: index, of: range.lowerBound)
            while index < offsets.count, offsets[index] < range.upperBound {
                body(offsets[index], keys[index])
                index += 1
            }
        }
    }

    /// The keys of the events at `wanted`, in order.
    package func keys(of wanted: OffsetRanges) -> [PartitionKey] {
        var result: [PartitionKey] = []
        forEach(in: wanted) { result.append($1) }
        return result
    }

    /// The first index from `low` on whose offset is at least `offset`.
    private func firstIndex(from low: Int, of offset: Int64) -> Int {
        var (low, high) = (low, offsets.count)
        while low < high {
            let middle = low + (high - low) / 2
            if offsets[middle] < offset {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
