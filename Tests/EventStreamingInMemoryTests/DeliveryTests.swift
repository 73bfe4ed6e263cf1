import EventStreamingCore
import EventStreamingTesting
import Testing

@testable import EventStreamingInMemory
@testable import EventStreamingStoreKit

@Suite("Delivery in memory")
struct DeliveryTests {
    @Test("The position is the lowest unfinished offset, however events are settled", arguments: UInt64(1)...25)
    func watermark(seed: UInt64) async throws {
        var random = Seeded(seed)
        let fixture = try await Fixture(.persistent)
        try await fixture.subscribe { $0.retry.maximumAttempts = .max }
        let consumers = [try await fixture.register("a"), try await fixture.register("b")]
        var model = LeaseModel()
        for _ in 0..<500 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<2:
                model.head = try await fixture.append(Int.random(in: 1...20, using: &random)).upperBound.rawValue
            case 2..<5:
                let consumer = consumers[Int.random(in: 0..<2, using: &random)]
                if let lease = try await fixture.lease(consumer, Int.random(in: 1...15, using: &random)) {
                    let isPossible = model.take(lease)
                    #expect(isPossible, "seed \(seed)")
                }
            case 5:
                fixture.clock.advance(by: .milliseconds(300))
            default:
                if let settlement = model.settle(using: &random) {
                    try await fixture.store.settle(settlement)
                }
            }
            let progress = try #require(await fixture.progress().first)
            #expect(progress.position.rawValue == model.position, "seed \(seed)")
            #expect(progress.inFlight == model.inFlight, "seed \(seed)")
            #expect(progress.waiting == model.waiting.count, "seed \(seed)")
        }
    }

    @Test("A stretch that the filter passes over is crossed in one call")
    func longFilteredStretch() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe { $0.eventTypes = [OrderShipped.eventType] }
        let consumer = try await fixture.register()
        try await fixture.append(50_000)
        try await fixture.append(1, type: Fixture.shipped)
        let lease = try #require(await fixture.lease(consumer))
        #expect(lease.offsets == Range(50_000..<50_001))
        #expect(try await fixture.position() == 50_000)
        #expect(try await fixture.metadata().count == 1)
        try await fixture.append(40_000)
        #expect(try await fixture.lease(consumer) == nil)
        try await fixture.store.acknowledge(lease)
        #expect(try await fixture.metadata().count == 0)
    }

    @Test("Something found is not held back for a long search")
    func patience() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe { $0.eventTypes = [OrderShipped.eventType] }
        let consumer = try await fixture.register()
        try await fixture.append(1, type: Fixture.shipped)
        try await fixture.append(1000)
        try await fixture.append(1, type: Fixture.shipped)
        let first = try #require(await fixture.lease(consumer, 2))
        #expect(first.events.map(\.offset.rawValue) == [0])
        #expect(try await fixture.lease(consumer, 2)?.events.map(\.offset.rawValue) == [1001])
    }

    @Test("A lease with gaps ends when its events are settled, with or without the gaps")
    func filteredLease() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe { $0.eventTypes = [OrderShipped.eventType] }
        let consumer = try await fixture.register()
        for _ in 0..<4 {
            try await fixture.append(1, type: Fixture.shipped)
            try await fixture.append(2)
        }
        let lease = try #require(await fixture.lease(consumer))
        #expect(lease.offsets == Range(0..<10))
        #expect(lease.events.map(\.offset.rawValue) == [0, 3, 6, 9])
        try await fixture.store.acknowledge(Range(0..<5), of: lease)
        #expect(try await fixture.position() == 6)
        try await fixture.store.release(lease)
        // 6 and 9 have nothing between them but what the filter passes over: they come back together.
        let again = try #require(await fixture.lease(consumer))
        #expect(again.events.map(\.offset.rawValue) == [6, 9])
        #expect(again.attempt == 1)
        for event in again.events {
            try await fixture.store.acknowledge(event.offset..<event.offset.advanced(by: 1), of: again)
        }
        #expect(try #require(await fixture.progress().first).isFinished)
    }

    @Test("A changed filter holds for events that wait, too")
    func changedFilter() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        try await fixture.append(3)
        try await fixture.append(1, type: Fixture.shipped)
        let lease = try #require(await fixture.lease(consumer))
        try await fixture.store.release(lease)
        try await fixture.subscribe { $0.eventTypes = [OrderShipped.eventType] }
        #expect(try await fixture.lease(consumer)?.events.map(\.offset.rawValue) == [3])
        #expect(try await fixture.position() == 3)
    }

    @Test("While too many ranges wait, new events are held back")
    func backPressure() async throws {
        let fixture = try await Fixture(.persistent)
        try await fixture.subscribe {
            $0.retry.maximumAttempts = 100
            $0.consumerTimeout = .seconds(1000)
        }
        let consumer = try await fixture.register()
        try await fixture.append(2 * Limits.waitingRanges + 10)
        var waiting = 0
        while waiting < Limits.waitingRanges {
            let lease = try #require(await fixture.lease(consumer, 4000))
            let odd = lease.events.map(\.offset).filter { $0.rawValue % 2 == 1 }
            let rejections = odd.prefix(Limits.waitingRanges - waiting).map { offset in
                Rejection(
                    offsets: offset..<offset.advanced(by: 1),
                    action: .retry(after: .seconds(60)),
                    reason: "later"
                )
            }
            waiting += rejections.count
            let even = lease.events.map(\.offset).filter { $0.rawValue % 2 == 0 }
            try await fixture.store.settle(
                Settlement(
                    of: consumer,
                    leaseEpoch: lease.epoch,
                    completed: even.map { $0..<$0.advanced(by: 1) },
                    rejections: Array(rejections)
                )
            )
        }
        guard case .empty(let until) = try await fixture.store.dequeue(as: consumer, limit: 10) else {
            Issue.record("New events were delivered.")
            return
        }
        #expect(until == .seconds(60))
        fixture.clock.advance(by: .seconds(60))
        let again = try #require(await fixture.lease(consumer))
        #expect(again.attempt == 2)
    }

    @Test("A lease has a largest size, whatever was asked for")
    func leaseSize() async throws {
        let fixture = try await Fixture(.persistent)
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        try await fixture.append(5000)
        #expect(try await fixture.lease(consumer, .max)?.events.count == Limits.eventsPerLease)
        #expect(try await fixture.lease(consumer, .max)?.events.count == 5000 - Limits.eventsPerLease)
    }

    @Test("Delays are the same for the same seed")
    func seededJitter() async throws {
        func delays(seed: UInt64) async throws -> [Duration?] {
            let fixture = try await Fixture(seed: seed)
            try await fixture.subscribe { $0.retry.jitter = 1 }
            let consumer = try await fixture.register()
            var delays: [Duration?] = []
            for _ in 0..<5 {
                try await fixture.append(1)
                let lease = try #require(await fixture.lease(consumer))
                try await fixture.store.nack(lease.offsets, of: lease, reason: "no")
                guard case .empty(let until) = try await fixture.store.dequeue(as: consumer, limit: 1) else { continue }
                delays.append(until)
            }
            return delays
        }
        let first = try await delays(seed: 7)
        #expect(try await delays(seed: 7) == first)
        #expect(try await delays(seed: 8) != first)
    }
}

/// What must be true of leases of competing consumers, by sets of single offsets.
private struct LeaseModel {
    private struct Held {
        let lease: Lease
        var open: Set<Int64>
    }

    var head: Int64 = 0
    private var next: Int64 = 0
    private var held: [Held] = []
    private(set) var waiting: Set<Int64> = []

    var inFlight: Int { held.reduce(0) { $0 + $1.open.count } }
    var position: Int64 { min(next, waiting.min() ?? next, held.compactMap { $0.open.min() }.min() ?? next) }

    /// - Returns: Whether the lease is one that could be given.
    mutating func take(_ lease: Lease) -> Bool {
        let offsets = Set(lease.events.map(\.offset.rawValue))
        let isNew = offsets.min() == next
        let isRight = isNew ? lease.attempt == 1 : offsets.isSubset(of: waiting)
        waiting.subtract(offsets)
        next = max(next, (offsets.max() ?? 0) + 1)
        held.append(Held(lease: lease, open: offsets))
        return isRight
    }

    /// A settlement of some of what is held: each open offset is left, finished or given back.
    mutating func settle(using random: inout Seeded) -> Settlement? {
        guard let index = held.indices.randomElement(using: &random) else { return nil }
        let lease = held[index].lease
        var settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch)
        settlement.releasesRest = Int.random(in: 0..<6, using: &random) == 0
        for offset in held[index].open.sorted() {
            let range = Range<StreamOffset>(offset..<offset + 1)
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                settlement.completed.append(range)
            case 2:
                let delay = Duration.milliseconds(Int.random(in: 0...900, using: &random))
                settlement.rejections.append(Rejection(offsets: range, action: .retry(after: delay), reason: "no"))
                waiting.insert(offset)
            default:
                if settlement.releasesRest {
                    waiting.insert(offset)
                }
                continue
            }
            held[index].open.remove(offset)
        }
        if held[index].open.isEmpty || settlement.releasesRest {
            held.remove(at: index)
        }
        return settlement
    }
}
