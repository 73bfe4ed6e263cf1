import EventStreamingCore
import EventStreamingTesting
import Testing

@testable import EventStreamingInMemory

/// An event that shows by a weak reference whether it is still in memory.
private struct Heavy: Event {
    typealias Process = Shop

    final class Body: Codable, Sendable {}

    let body: Body
}

@Suite("Retention in memory")
struct RetentionTests {
    private func heavy(_ fixture: Fixture, _ count: Int, size: Int = 10) -> ([NewEvent], [WeakBody]) {
        let bodies = (0..<count).map { _ in Heavy.Body() }
        let events = bodies.map { body in
            NewEvent(
                id: fixture.ids.next(),
                type: EventType(Heavy.self),
                payload: .value(Heavy(body: body)),
                size: size
            )
        }
        return (events, bodies.map { WeakBody(body: $0) })
    }

    private struct WeakBody: Sendable {
        weak let body: Heavy.Body?
    }

    private func appendHeavy(_ fixture: Fixture, _ count: Int, size: Int = 10) async throws -> [WeakBody] {
        let (events, bodies) = heavy(fixture, count, size: size)
        _ = try await fixture.store.append(StreamAppend(stream: fixture.stream, events: events))
        return bodies
    }

    @Test("Finished events of a queue leave memory")
    func finishedEventsAreFreed() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        let bodies = try await appendHeavy(fixture, 500)
        #expect(bodies.allSatisfy { $0.body != nil })
        while let lease = try await fixture.lease(consumer, 77) {
            try await fixture.store.acknowledge(lease)
        }
        #expect(bodies.allSatisfy { $0.body == nil })
        #expect(try await fixture.metadata().bytes == 0)
    }

    @Test("Trimmed events share a segment with others for a while only when they are small")
    func trimmedEventsAreFreed() async throws {
        let fixture = try await Fixture(.persistent)
        let small = try await appendHeavy(fixture, 128)
        let large = try await appendHeavy(fixture, 128, size: 10_000)
        #expect(try await fixture.store.trim(fixture.stream, before: StreamOffset(100)) == 100)
        #expect(try await fixture.metadata().bytes == 28 * 10 + 128 * 10_000)
        #expect(try await fixture.store.trim(fixture.stream, before: StreamOffset(138)) == 38)
        #expect(small.allSatisfy { $0.body == nil })
        #expect(large.prefix(10).allSatisfy { $0.body == nil })
        #expect(large.dropFirst(10).allSatisfy { $0.body != nil })
        #expect(try await fixture.metadata().bytes == 118 * 10_000)
        let page = try await fixture.store.read(
            fixture.stream,
            from: StreamOffset(138),
            direction: .forward,
            limit: 1000
        )
        #expect(page.map(\.offset.rawValue) == Array(138..<256))
    }

    @Test("Events that nobody waits for are dropped and counted, and keep their offsets")
    func droppedEvents() async throws {
        let fixture = try await Fixture()
        let bodies = try await appendHeavy(fixture, 10)
        #expect(bodies.allSatisfy { $0.body == nil })
        try await fixture.subscribe(.broadcast)
        try await fixture.append(5)
        let consumer = try await fixture.register(kind: .temporary)
        #expect(try await fixture.append(3) == Range(15..<18))
        #expect(try await fixture.lease(consumer)?.offsets == Range(15..<18))
        let metadata = try await fixture.metadata()
        #expect(metadata.dropped == 15)
        #expect(metadata.first.rawValue == 15)
    }

    @Test("A queue that is read as fast as it is written stays small")
    func flow() {
        var log = EventLog()
        var ids = EventIDIndex()
        let generator = MessageIDGenerator(clock: ManualClock())
        var largest = 0
        for round in 0..<20_000 {
            let events = (0..<Int64(round % 40) + 1).map { _ in
                NewEvent(id: generator.next(), type: Fixture.placed, payload: .encoded([]), size: 3)
            }
            let first = log.head
            log.append(events, at: Timestamp(nanosecondsSinceEpoch: 0))
            ids.insert(events, from: first, isAscending: true)
            var effects = Effects()
            log.trim(before: max(0, log.head - 100), effects: &effects)
            ids.trim(before: log.first)
            largest = max(largest, log.segmentCount)
            #expect(ids.counts.ascending == log.count)
        }
        #expect(largest <= 3)
        #expect(log.bytes == log.count * 3)
    }

    @Test("A queue keeps exactly what the slowest of many positions needs", arguments: UInt64(1)...5)
    func slowestPosition(seed: UInt64) async throws {
        var random = Seeded(seed)
        let fixture = try await Fixture()
        try await fixture.subscribe(.broadcast)
        var consumers: [ConsumerRegistration] = []
        for number in 0..<12 {
            consumers.append(try await fixture.register("c\(number)"))
        }
        for _ in 0..<400 {
            let consumer = consumers[Int.random(in: 0..<consumers.count, using: &random)]
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<4:
                try await fixture.append(Int.random(in: 1...30, using: &random))
            case 4 where consumers.count > 2:
                _ = try await fixture.store.removeConsumer(consumer.consumer, of: fixture.subscription)
                consumers.removeAll { $0 == consumer }
            case 5:
                consumers.append(try await fixture.register("n\(random.next())"))
            default:
                if let lease = try await fixture.lease(consumer, 20) {
                    try await fixture.store.acknowledge(lease)
                }
            }
            let slowest = try await fixture.progress().map(\.position).min()
            #expect(try await fixture.metadata().first == slowest, "seed \(seed)")
        }
        #expect(try await fixture.metadata().dropped == 0)
    }

    @Test("Times within a stream do not go back when the clock does")
    func monotonicTimestamps() async throws {
        let fixture = try await Fixture(.persistent)
        try await fixture.append(2)
        fixture.clock.setWallClock(to: fixture.clock.now - .seconds(3600))
        try await fixture.append(2)
        let page = try await fixture.store.read(fixture.stream, from: .zero, direction: .forward, limit: 10)
        #expect(Set(page.map(\.timestamp)).count == 1)
    }
}
