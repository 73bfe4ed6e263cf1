import EventStreaming
import Testing

@testable import Analytics

@Suite("The counts")
struct CountsTests {
    @Test("count every event once, in whatever order it comes, and as often", arguments: [1, 2, 3] as [UInt64])
    func once(seed: UInt64) {
        var state = seed
        var counts = Counts()
        var seen: Set<Int64> = []
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let offset = Int64(state >> 33) % 300
            let isNew = counts.count(UserAdded(email: "a"), at: StreamOffset(offset))
            #expect(isNew == seen.insert(offset).inserted, "seed \(seed)")
        }
        #expect(counts.added == seen.count)
        for (span, next) in zip(counts.counted, counts.counted.dropFirst()) {
            #expect(span.end < next.begin, "seed \(seed)")
        }
        #expect(counts.counted.reduce(0) { $0 + $1.end - $1.begin } == Int64(seen.count))
    }

    @Test("tell how many users there are")
    func users() {
        var counts = Counts()
        let events: [(any Event, Int64)] = [
            (UserAdded(email: "a"), 0), (UserAdded(email: "b"), 1), (UserRemoved(email: "a"), 2),
            (UserRemoved(email: "a"), 2),
        ]
        let isNew = events.map { event, offset in counts.count(event, at: StreamOffset(offset)) }
        #expect(isNew == [true, true, true, false])
        #expect(counts.users == 1)
        #expect(counts.counted == [Counts.Span(begin: 0, end: 3)])
    }
}
