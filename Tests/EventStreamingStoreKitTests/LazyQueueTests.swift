import Testing

@testable import EventStreamingStoreKit

@Suite("Lazy queue")
struct LazyQueueTests {
    @Test("The first is the lowest present rank", arguments: UInt64(1)...30)
    func order(seed: UInt64) {
        var random = Seeded(seed)
        var queue = LazyQueue<Int>()
        var ranks: [UInt64: Int] = [:]
        for key in UInt64(1)...500 {
            let rank = Int.random(in: 0..<1000, using: &random)
            ranks[key] = rank
            queue.insert(key, rank: rank)
            if let other = ranks.keys.min(), Bool.random(using: &random) {
                ranks[other] = Bool.random(using: &random) ? nil : (ranks[other] ?? 0) + 50
            }
            let first = queue.first { ranks[$0] }
            #expect(first?.rank == ranks.values.min(), "seed \(seed)")
            #expect(first.flatMap { ranks[$0.key] } == ranks.values.min(), "seed \(seed)")
        }
    }

    @Test("Entries out of date do not pile up behind one that stays")
    func compaction() {
        var queue = LazyQueue<Int>()
        var live: Set<UInt64> = [0]
        queue.insert(0, rank: 0)
        for key in UInt64(1)...100_000 {
            live.insert(key)
            queue.insert(key, rank: Int(key))
            live.remove(key)
            queue.compact(live: live.count) { live.contains($0) ? Int($0) : nil }
        }
        #expect(queue.keys.count < 100)
        #expect(queue.first { live.contains($0) ? Int($0) : nil }?.key == 0)
    }
}
