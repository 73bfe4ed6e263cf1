import Testing

@testable import EventStreamingStoreKit

@Suite("Sets of offsets")
struct OffsetRangesTests {
    @Test("Do what plain sets do", arguments: UInt64(1)...50)
    func behaveLikeSets(seed: UInt64) {
        var random = Seeded(seed)
        func range() -> Range<Int64> {
            let low = Int64.random(in: 0...60, using: &random)
            return low..<low + Int64.random(in: 0...20, using: &random)
        }
        var ranges = OffsetRanges()
        var model: Set<Int64> = []
        for _ in 0..<300 {
            let change = range()
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                ranges.subtract(change)
                model.subtract(change)
            case 1:
                ranges.formUnion(OffsetRanges(change))
                model.formUnion(change)
            case 2:
                let offset = (model.max() ?? 0) + Int64.random(in: 1...3, using: &random)
                if offset < 90 {
                    ranges.append(offset)
                    model.insert(offset)
                }
            default:
                var other = OffsetRanges(range())
                other.formUnion(OffsetRanges(range()))
                ranges.subtract(other)
                model.subtract(other.ranges.joined())
            }
            check(ranges, model, range(), seed)
            let length = Int.random(in: 0...30, using: &random)
            let prefix = Array(ranges.prefix(length).ranges.joined())
            #expect(prefix == Array(model.sorted().prefix(length)), "seed \(seed)")
        }
    }

    private func check(_ ranges: OffsetRanges, _ model: Set<Int64>, _ probe: Range<Int64>, _ seed: UInt64) {
        #expect(Array(ranges.ranges.joined()) == model.sorted(), "seed \(seed)")
        #expect(ranges.count == model.count, "seed \(seed)")
        #expect(ranges.isEmpty == model.isEmpty, "seed \(seed)")
        #expect(ranges.lowest == model.min(), "seed \(seed)")
        #expect(ranges.count(in: probe) == model.intersection(probe).count, "seed \(seed)")
        let common = Array(ranges.intersection(probe).ranges.joined())
        #expect(common == model.intersection(probe).sorted(), "seed \(seed)")
        for (left, right) in zip(ranges.ranges, ranges.ranges.dropFirst()) {
            #expect(left.upperBound < right.lowerBound, "seed \(seed)")
        }
    }
}
