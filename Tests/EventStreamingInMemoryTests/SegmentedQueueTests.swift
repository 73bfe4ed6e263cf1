import Testing

@testable import EventStreamingInMemory

@Suite("Segmented queue")
struct SegmentedQueueTests {
    @Test("Does what an array does, whatever is appended, read and trimmed", arguments: UInt64(1)...30)
    func behavesLikeAnArray(seed: UInt64) {
        var random = Seeded(seed)
        var queue = SegmentedQueue<Int64>()
        // The element at position p is p itself.
        var kept: Range<Int64> = 0..<0
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let count = Int.random(in: 0...300, using: &random)
                let end = kept.upperBound
                queue.append(count: count) { end + Int64($0) }
                kept = kept.lowerBound..<end + Int64(count)
            case 5..<7:
                let position = Int64.random(in: 0...kept.upperBound + 5, using: &random)
                queue.trim(before: position) { _ in }
                kept = min(kept.upperBound, max(kept.lowerBound, position))..<kept.upperBound
            case 7:
                queue.compact { _ in }
            case 8 where kept.isEmpty:
                queue.skip(77)
                kept = kept.upperBound + 77..<kept.upperBound + 77
            default:
                let low = Int64.random(in: kept.lowerBound...kept.upperBound, using: &random)
                let high = Int64.random(in: low...kept.upperBound, using: &random)
                #expect(queue.elements(in: low..<high) == Array(low..<high), "seed \(seed)")
                #expect(Array(queue.slices(in: low..<high).joined()) == Array(low..<high), "seed \(seed)")
                #expect(queue.sum(in: low..<high) { Int($0) } == (low..<high).reduce(0) { $0 + Int($1) })
                #expect(queue.partition { $0 < low } == low, "seed \(seed)")
                #expect(queue.partitionFromStart { $0 < low } == low, "seed \(seed)")
            }
            #expect(queue.start == kept.lowerBound && queue.end == kept.upperBound, "seed \(seed)")
            #expect(queue.segmentCount <= kept.count / 128 + 2, "seed \(seed)")
        }
    }

    @Test("A segment that begins inside its slot is never taken for a full one")
    func partialSegment() {
        var queue = SegmentedQueue<Int64>()
        queue.append(count: 64) { Int64($0) }
        queue.trim(before: 64) { _ in }
        queue.append(count: 300) { 64 + Int64($0) }
        #expect(queue.elements(in: 64..<192) == Array(64..<192))
        #expect(queue.elements(in: 64..<128) == Array(64..<128))
        #expect(queue.elements(in: 128..<256) == Array(128..<256))
    }

    @Test("An empty queue holds no segment")
    func freesEverything() {
        var queue = SegmentedQueue<Int64>()
        queue.append(count: 1000) { Int64($0) }
        var discarded = 0
        queue.trim(before: 1000) { discarded += $0.count }
        #expect(queue.segmentCount == 0)
        #expect(discarded == 1000)
    }
}
