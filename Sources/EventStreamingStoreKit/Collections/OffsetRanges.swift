package import EventStreamingCore

/// A set of offsets as ascending ranges that neither overlap nor touch.
///
/// One range, by far the most frequent case, needs no allocation.
package struct OffsetRanges: Sendable, Equatable {
    private var single: Range<Int64>
    /// Two ranges or more; empty while one is enough.
    private var several: [Range<Int64>] = []

    package init(_ range: Range<Int64> = 0..<0) {
        single = range.isEmpty ? 0..<0 : range
    }

    /// The offsets of all ranges, which may come in any order and overlap.
    package init(merging ranges: [Range<StreamOffset>]) {
        self.init()
        let sorted = ranges.map { $0.lowerBound.rawValue..<$0.upperBound.rawValue }
        replace(with: Self.merge(sorted.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }))
    }

    /// The ranges in order; none is empty.
    package var ranges: [Range<Int64>] {
        several.isEmpty ? (single.isEmpty ? [] : [single]) : several
    }

    package var isEmpty: Bool { several.isEmpty && single.isEmpty }

    /// How many offsets there are.
    package var count: Int {
        several.isEmpty ? single.count : several.reduce(0) { $0 + $1.count }
    }

    /// The lowest offset.
    package var lowest: Int64? {
        several.first?.lowerBound ?? (single.isEmpty ? nil : single.lowerBound)
    }

    /// From the lowest to the highest offset.
    package var span: Range<Int64> {
        guard let first = several.first, let last = several.last else { return single }
        return first.lowerBound..<last.upperBound
    }

    private mutating func replace(with ranges: [Range<Int64>]) {
        if ranges.count > 1 {
            several = ranges
        } else {
            several = []
            single = ranges.first ?? 0..<0
        }
    }

    // MARK: - Asking

    /// How many offsets of `range` are in the set.
    package func count(in range: Range<Int64>) -> Int {
        if several.isEmpty {
            return single.clamped(to: range).count
        }
        var count = 0
        for index in overlapping(range) {
            count += several[index].clamped(to: range).count
        }
        return count
    }

    /// The offsets of `range` that are in the set.
    package func intersection(_ range: Range<Int64>) -> OffsetRanges {
        if several.isEmpty {
            return OffsetRanges(single.clamped(to: range))
        }
        var result = OffsetRanges()
        result.replace(with: overlapping(range).map { several[$0].clamped(to: range) })
        return result
    }

    /// The first `count` offsets.
    package func prefix(_ count: Int) -> OffsetRanges {
        if several.isEmpty {
            return OffsetRanges(single.lowerBound..<single.lowerBound + Int64(min(single.count, count)))
        }
        var result: [Range<Int64>] = []
        var missing = count
        for range in several where missing > 0 {
            let portion = min(missing, range.count)
            result.append(range.lowerBound..<range.lowerBound + Int64(portion))
            missing -= portion
        }
        var prefix = OffsetRanges()
        prefix.replace(with: result)
        return prefix
    }

    /// The indices of the ranges in `several` that share an offset with `range`.
    private func overlapping(_ range: Range<Int64>) -> Range<Int> {
        guard !range.isEmpty else { return 0..<0 }
        let low = Self.partition(several) { $0.upperBound <= range.lowerBound }
        let high = Self.partition(several) { $0.lowerBound < range.upperBound }
        return low..<max(low, high)
    }

    private static func partition(_ ranges: [Range<Int64>], _ isBefore: (Range<Int64>) -> Bool) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = low + (high - low) / 2
            if isBefore(ranges[middle]) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    // MARK: - Changing

    /// Adds an offset that is greater than all in the set.
    package mutating func append(_ offset: Int64) {
        if let last = several.last {
            if last.upperBound == offset {
                several[several.count - 1] = last.lowerBound..<offset + 1
            } else {
                several.append(offset..<offset + 1)
            }
        } else if single.isEmpty {
            single = offset..<offset + 1
        } else if single.upperBound == offset {
            single = single.lowerBound..<offset + 1
        } else {
            several = [single, offset..<offset + 1]
        }
    }

    /// Takes the offsets of `range` out.
    package mutating func subtract(_ range: Range<Int64>) {
        if several.isEmpty {
            let common = single.clamped(to: range)
            guard !common.isEmpty else { return }
            let before = single.lowerBound..<common.lowerBound
            let after = common.upperBound..<single.upperBound
            replace(with: [before, after].filter { !$0.isEmpty })
            return
        }
        let indices = overlapping(range)
        guard let first = indices.first, let last = indices.last else { return }
        let before = several[first].lowerBound..<max(several[first].lowerBound, range.lowerBound)
        let after = min(several[last].upperBound, range.upperBound)..<several[last].upperBound
        several.replaceSubrange(indices, with: [before, after].filter { !$0.isEmpty })
        if several.count < 2 {
            replace(with: several)
        }
    }

    /// Takes the offsets of another set out.
    package mutating func subtract(_ other: OffsetRanges) {
        for range in other.ranges {
            subtract(range)
        }
    }

    /// Adds the offsets of another set.
    package mutating func formUnion(_ other: OffsetRanges) {
        if other.isEmpty {
            return
        }
        if isEmpty {
            self = other
            return
        }
        replace(with: Self.merge((ranges + other.ranges).sorted { $0.lowerBound < $1.lowerBound }))
    }

    /// Puts sorted ranges together that overlap or touch.
    private static func merge(_ sorted: [Range<Int64>]) -> [Range<Int64>] {
        var result: [Range<Int64>] = []
        for range in sorted {
            if let last = result.last, range.lowerBound <= last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
