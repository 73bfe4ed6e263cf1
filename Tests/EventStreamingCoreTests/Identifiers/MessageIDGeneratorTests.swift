import EventStreamingCore
import Testing

@Suite("MessageIDGenerator")
struct MessageIDGeneratorTests {
    @Test("ids are UUIDs of version 7 with the time in front")
    func layout() {
        let clock = SetClock()
        let id = MessageIDGenerator(clock: clock).next()
        #expect(id.high >> 16 == UInt64(clock.now.nanosecondsSinceEpoch / 1_000_000))
        #expect(id.high >> 12 & 0xF == 7)
        #expect(id.low >> 62 == 0b10)
    }

    @Test("ids grow while the clock stands still, goes on and goes back")
    func monotone() {
        let clock = SetClock()
        let generator = MessageIDGenerator(clock: clock)
        let start = clock.now
        var last = generator.next()
        for step in [Duration.zero, .milliseconds(1), .seconds(-3600), .nanoseconds(1), .seconds(3600), .seconds(-1)] {
            clock.now = clock.now + step
            for _ in 0..<100 {
                let next = generator.next()
                #expect(next > last)
                last = next
            }
        }
        clock.now = start + .seconds(7200)
        #expect(generator.next().high >> 16 == UInt64(clock.now.nanosecondsSinceEpoch / 1_000_000))
    }

    @Test("times outside of what 48 bits can tell are safe", arguments: [Int64.min, -1, 0, .max])
    func hostileTimes(nanoseconds: Int64) {
        let clock = SetClock()
        clock.now = Timestamp(nanosecondsSinceEpoch: nanoseconds)
        let generator = MessageIDGenerator(clock: clock)
        let first = generator.next()
        #expect(generator.next() > first)
        #expect(first.high >> 12 & 0xF == 7)
    }

    @Test("a batch is in order and continues what came before", arguments: [Int.min, -1, 0, 1, 1000])
    func batch(count: Int) {
        let generator = MessageIDGenerator(clock: SetClock())
        var ids = [generator.next()]
        generator.next(count) { ids.append($0) }
        ids.append(generator.next())
        #expect(ids.count == max(0, count) + 2)
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("many tasks never get the same id, and each sees them grow")
    func concurrency() async {
        let generator = MessageIDGenerator(clock: SetClock())
        let all = await withTaskGroup(of: [MessageID].self) { group in
            for task in 0..<8 {
                group.addTask {
                    var ids: [MessageID] = []
                    for _ in 0..<500 {
                        if task.isMultiple(of: 2) {
                            ids.append(generator.next())
                        } else {
                            generator.next(3) { ids.append($0) }
                        }
                    }
                    return ids
                }
            }
            return await group.reduce(into: [[MessageID]]()) { $0.append($1) }
        }
        for ids in all {
            #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        }
        #expect(Set(all.joined()).count == 4 * 500 + 4 * 1500)
    }

    @Test("generators do not make each other's ids")
    func independence() {
        let clock = SetClock()
        let ids = (0..<1000).map { _ in MessageIDGenerator(clock: clock).next() }
        #expect(Set(ids).count == 1000)
    }
}
