import DequeModule

/// A queue whose elements are found by their position, which never changes.
///
/// Elements lie in segments of equal length, so that access is a division, trimming frees whole segments, growth never
/// moves what is there, and a full segment can be handed out without a copy.
struct SegmentedQueue<Element: Sendable>: Sendable {
    private struct Segment: Sendable {
        /// The position of the first element; only the oldest segment and the first after a gap begin inside their
        /// slot.
        let start: Int64
        var elements: [Element]

        var end: Int64 { start + Int64(elements.count) }
    }

    private static var shift: Int64 { 7 }
    /// How many positions a segment covers.
    static var segmentLength: Int64 { 1 << shift }

    /// The first position of the segment that a position is in.
    static func segmentStart(of position: Int64) -> Int64 { position & -segmentLength }

    private var segments = Deque<Segment>()
    /// The position of the first element kept.
    private(set) var start: Int64 = 0
    /// The position of the next element.
    private(set) var end: Int64 = 0

    var count: Int { Int(end - start) }
    var isEmpty: Bool { start == end }
    /// For tests: how many segments are held.
    var segmentCount: Int { segments.count }

    /// The element at a position from ``start`` to before ``end``.
    subscript(position: Int64) -> Element {
        let segment = segmentIndex(of: position)
        return segments[segment].elements[Int(position - segments[segment].start)]
    }

    private func segmentIndex(of position: Int64) -> Int {
        Int((position >> Self.shift) - (segments[0].start >> Self.shift))
    }

    // MARK: - Growing

    /// Appends `count` elements, made by their index.
    mutating func append(count: Int, _ element: (Int) -> Element) {
        var index = 0
        while index < count {
            let offset = end & (Self.segmentLength - 1)
            var segment: Segment
            if offset != 0, let last = segments.popLast() {
                segment = last
            } else {
                segment = Segment(start: end, elements: [])
            }
            let portion = min(count - index, Int(Self.segmentLength - offset))
            // The first events of a stream make small segments, so that a million idle streams stay small.
            if portion > 1 || !segments.isEmpty, segment.elements.capacity < segment.elements.count + portion {
                let isFirst = segments.isEmpty && portion < Self.segmentLength / 4
                let room = Int(Self.segmentLength - (segment.start & (Self.segmentLength - 1)))
                segment.elements.reserveCapacity(isFirst ? segment.elements.count + portion : room)
            }
            for _ in 0..<portion {
                segment.elements.append(element(index))
                index += 1
            }
            end += Int64(portion)
            segments.append(segment)
        }
    }

    mutating func append(_ element: Element) {
        append(count: 1) { _ in element }
    }

    /// Passes over `count` positions without elements; only for an empty queue.
    mutating func skip(_ count: Int) {
        assert(isEmpty)
        end += Int64(count)
        start = end
    }

    // MARK: - Reading

    /// Copies of the elements in `range`; without a copy when they are exactly one full segment.
    func elements(in range: Range<Int64>) -> [Element] {
        guard !range.isEmpty else { return [] }
        var index = segmentIndex(of: range.lowerBound)
        // A segment that still grows would be copied by its next append.
        let isFull = segments[index].end & (Self.segmentLength - 1) == 0
        if isFull, segments[index].start == range.lowerBound, segments[index].end == range.upperBound {
            return segments[index].elements
        }
        var result: [Element] = []
        result.reserveCapacity(range.count)
        var position = range.lowerBound
        while position < range.upperBound {
            let start = segments[index].start
            let portionEnd = min(range.upperBound, segments[index].end)
            result.append(contentsOf: segments[index].elements[Int(position - start)..<Int(portionEnd - start)])
            position = portionEnd
            index += 1
        }
        return result
    }

    /// The elements in `range` as parts of the segments, without copying elements.
    func slices(in range: Range<Int64>) -> [ArraySlice<Element>] {
        var result: [ArraySlice<Element>] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let index = segmentIndex(of: position)
            let start = segments[index].start
            let portionEnd = min(range.upperBound, segments[index].end)
            result.append(segments[index].elements[Int(position - start)..<Int(portionEnd - start)])
            position = portionEnd
        }
        return result
    }

    /// The first position whose element does not satisfy `isBefore`; the elements must be in such an order.
    func partition(_ isBefore: (Element) -> Bool) -> Int64 {
        partition(in: start..<end, isBefore)
    }

    /// As ``partition(_:)``, for a position that is likely near the start: with steps that double.
    func partitionFromStart(_ isBefore: (Element) -> Bool) -> Int64 {
        var low = start
        var step: Int64 = 1
        while end - low > step, isBefore(self[low + step]) {
            low += step
            step *= 2
        }
        return partition(in: low..<min(end, low + step + 1), isBefore)
    }

    private func partition(in range: Range<Int64>, _ isBefore: (Element) -> Bool) -> Int64 {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = low + (high - low) / 2
            if isBefore(self[middle]) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// The sum of a number of each element in `range`, which wraps when it overflows.
    func sum(in range: Range<Int64>, _ number: (Element) -> Int) -> Int {
        var sum = 0
        var position = range.lowerBound
        while position < range.upperBound {
            let index = segmentIndex(of: position)
            let start = segments[index].start
            let portionEnd = min(range.upperBound, segments[index].end)
            for place in Int(position - start)..<Int(portionEnd - start) {
                sum &+= number(segments[index].elements[place])
            }
            position = portionEnd
        }
        return sum
    }

    // MARK: - Trimming

    /// Removes the elements before `position`. Segments that are free now go to `discard`; elements in the first
    /// segment kept stay in memory until ``compact(_:)``, or until the segment's last element goes.
    mutating func trim(before position: Int64, _ discard: ([Element]) -> Void) {
        guard position > start else { return }
        start = min(position, end)
        while let first = segments.first, first.end <= start {
            segments.removeFirst()
            discard(first.elements)
        }
    }

    /// Frees trimmed elements in the first segment kept.
    mutating func compact(_ discard: ([Element]) -> Void) {
        guard let first = segments.first, first.start < start else { return }
        segments[0] = Segment(start: start, elements: Array(first.elements[Int(start - first.start)...]))
        discard(first.elements)
    }
}
