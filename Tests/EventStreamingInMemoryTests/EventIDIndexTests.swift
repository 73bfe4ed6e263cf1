import EventStreamingCore
import Testing

@testable import EventStreamingInMemory

@Suite("Index of event ids")
struct EventIDIndexTests {
    private func event(_ number: UInt64) -> NewEvent {
        NewEvent(
            id: MessageID(high: number >> 8, low: number),
            type: Fixture.placed,
            payload: .encoded([]),
            size: 0
        )
    }

    @Test("Finds what a dictionary finds, in any order of ids", arguments: UInt64(1)...40)
    func behavesLikeADictionary(seed: UInt64) {
        var random = Seeded(seed)
        var index = EventIDIndex()
        var model: [MessageID: Int64] = [:]
        var log: [MessageID] = []
        var first = 0
        var newest: UInt64 = 1000
        // From nearly always ascending to mostly not.
        let lateness = UInt64.random(in: 0..<50, using: &random)
        for _ in 0..<400 {
            var batch: [NewEvent] = []
            var numbers: Set<UInt64> = []
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                newest += UInt64.random(in: 1...3, using: &random)
                let isLate = UInt64.random(in: 0..<60, using: &random) < lateness
                let number = isLate ? newest - UInt64.random(in: 1...300, using: &random) : newest
                let event = event(number)
                #expect(index.offset(of: event.id) == model[event.id], "seed \(seed)")
                if model[event.id] == nil, numbers.insert(number).inserted {
                    batch.append(event)
                }
            }
            let start = Int64(log.count)
            let isAscending = zip(batch, batch.dropFirst()).allSatisfy { $0.id < $1.id }
            index.insert(batch, from: start, isAscending: isAscending)
            for (place, event) in batch.enumerated() {
                model[event.id] = start + Int64(place)
                log.append(event.id)
            }
            if Int.random(in: 0..<5, using: &random) == 0 {
                let limit = Int.random(in: first...log.count, using: &random)
                for offset in first..<limit where model[log[offset]] == Int64(offset) {
                    model[log[offset]] = nil
                }
                first = limit
                index.trim(before: Int64(limit))
            }
            for id in log.suffix(30) {
                #expect(index.offset(of: id) == model[id], "seed \(seed)")
            }
        }
        for id in log {
            #expect(index.offset(of: id) == model[id], "seed \(seed)")
        }
        #expect(index.counts.ascending + index.counts.others == model.count, "seed \(seed)")
    }

    @Test("Ascending ids need no dictionary")
    func ascending() {
        var index = EventIDIndex()
        index.insert((0..<1000).map { event($0) }, from: 0, isAscending: true)
        #expect(index.counts.ascending == 1000)
        #expect(index.counts.others == 0)
        #expect(index.offset(of: event(512).id) == 512)
        #expect(index.offset(of: event(1000).id) == nil)
    }

    @Test("Nothing remains of trimmed events")
    func trimmed() {
        var index = EventIDIndex()
        index.insert((0..<1000).reversed().map { event($0) }, from: 0, isAscending: false)
        #expect(index.counts.others == 999)
        index.trim(before: 1000)
        #expect(index.counts.ascending == 0)
        #expect(index.counts.others == 0)
        #expect(index.isBeyondAll(event(0).id))
    }
}
