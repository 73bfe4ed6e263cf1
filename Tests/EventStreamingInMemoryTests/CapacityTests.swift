import EventStreamingCore
import EventStreamingTesting
import Testing

@testable import EventStreamingInMemory

@Suite("Capacity in memory")
struct CapacityTests {
    @Test("What is dropped unfinished is counted exactly, finished out of order or not")
    func countsUnfinishedOnly() async throws {
        let fixture = try await Fixture(capacity: 10, overflow: .dropOldest)
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        try await fixture.append(10)
        let lease = try #require(await fixture.lease(consumer, 6))
        try await fixture.store.acknowledge(Range(2..<5), of: lease)
        // 0 and 1 are leased, 2, 3 and 4 finished, 5 leased, 6 and later new.
        try await fixture.append(8)
        let metadata = try await fixture.metadata()
        #expect(metadata.dropped == 5)
        #expect(metadata.first.rawValue == 8)
        #expect(metadata.count == 10)
        #expect(try await fixture.position() == 8)
    }

    @Test("A lease that lost some of its events settles the others")
    func partlyLappedLease() async throws {
        let fixture = try await Fixture(.persistent, capacity: 10, overflow: .dropOldest)
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        try await fixture.append(10)
        let lease = try #require(await fixture.lease(consumer))
        try await fixture.append(4)
        try await fixture.store.acknowledge(Range(0..<6), of: lease)
        #expect(try await fixture.position() == 6)
        #expect(try await fixture.progress().first?.inFlight == 4)
        try await fixture.store.nack(Range(6..<10), of: lease, action: .retry(after: .zero), reason: "again")
        #expect(try await fixture.lease(consumer)?.offsets == Range(6..<10))
    }

    @Test("A lease that lost all of its events has ended")
    func lappedLease() async throws {
        let fixture = try await Fixture(.persistent, capacity: 10, overflow: .dropOldest)
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        try await fixture.append(10)
        let lease = try #require(await fixture.lease(consumer, 4))
        try await fixture.append(12)
        let store = fixture.store
        #expect(await code { () throws(EventStreamingError) in try await store.acknowledge(lease) } == .leaseExpired)
        #expect(try await fixture.position() == 12)
        #expect(try await fixture.metadata().dropped == 12)
        #expect(try await fixture.lease(consumer)?.offsets == Range(12..<22))
    }

    @Test("An append larger than the stream keeps its end, or is refused")
    func largeAppend() async throws {
        let dropping = try await Fixture(capacity: 3, overflow: .dropOldest)
        try await dropping.subscribe()
        try await dropping.append(10)
        #expect(try await dropping.metadata().dropped == 7)
        let consumer = try await dropping.register()
        #expect(try await dropping.lease(consumer)?.offsets == Range(7..<10))

        let refusing = try await Fixture(capacity: 3)
        try await refusing.subscribe()
        let append = StreamAppend(stream: refusing.stream, events: refusing.events(4))
        let store = refusing.store
        #expect(
            await code { () throws(EventStreamingError) in _ = try await store.append(append) } == .streamFull
        )
        #expect(try await refusing.metadata().head == .zero)
    }

    @Test("Waiting events that are dropped are not delivered again; redriven dead letters are")
    func droppedWhileWaiting() async throws {
        let fixture = try await Fixture(.persistent, capacity: 5, overflow: .dropOldest)
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        try await fixture.append(3)
        let lease = try #require(await fixture.lease(consumer))
        try await fixture.store.nack(Range(0..<1), of: lease, action: .deadLetter, reason: "bad")
        try await fixture.store.nack(Range(1..<3), of: lease, action: .retry(after: .seconds(1)), reason: "later")
        try await fixture.append(10)
        #expect(try await fixture.store.redrive(Range(0..<1), of: fixture.subscription) == 1)
        fixture.clock.advance(by: .seconds(2))
        let redriven = try #require(await fixture.lease(consumer))
        #expect(redriven.isRedriven)
        #expect(redriven.events.map(\.offset.rawValue) == [0])
        #expect(try await fixture.lease(consumer)?.offsets == Range(8..<13))
        try await fixture.store.acknowledge(redriven)
    }
}
