import EventStreamingCore
import Testing

@testable import EventStreamingInMemory

@Suite("Repeated appends in memory")
struct IdempotencyTests {
    private struct Basket: Event {
        typealias Process = Shop
        var goods: [String: Int]
    }

    private func event(_ id: MessageID, _ payload: EventPayload, type: EventType = EventType(Basket.self)) -> NewEvent {
        NewEvent(id: id, type: type, payload: payload, size: 1)
    }

    @Test("Values are the same when they say the same, in whatever order their dictionaries are")
    func sameValues() async throws {
        let fixture = try await Fixture(.persistent)
        let id = fixture.ids.next()
        var goods: [String: Int] = [:]
        for number in 0..<100 {
            goods["\(number)"] = number
        }
        var reversed: [String: Int] = [:]
        reversed.reserveCapacity(1000)
        for number in (0..<100).reversed() {
            reversed["\(number)"] = number
        }
        let first = event(id, .value(Basket(goods: goods)))
        let repeated = event(id, .value(Basket(goods: reversed)))
        _ = try await fixture.store.append(StreamAppend(stream: fixture.stream, events: [first]))
        let result = try await fixture.store.append(StreamAppend(stream: fixture.stream, events: [repeated]))
        #expect(result == AppendResult(offsets: Range(0..<1), isDuplicate: true))
    }

    @Test("Another payload, type or form under a known id is refused")
    func conflicts() async throws {
        let fixture = try await Fixture(.persistent)
        let store = fixture.store
        let stream = fixture.stream
        let value = fixture.ids.next()
        let bytes = fixture.ids.next()
        _ = try await store.append(
            StreamAppend(
                stream: stream,
                events: [event(value, .value(Basket(goods: ["a": 1]))), event(bytes, .encoded([1, 2]))]
            )
        )
        for other in [
            event(value, .value(Basket(goods: ["a": 2]))), event(value, .value(OrderPlaced(number: 1))),
            event(value, .encoded([])), event(bytes, .encoded([1, 3])), event(bytes, .value(Basket(goods: [:]))),
            event(bytes, .encoded([1, 2]), type: EventType(name: "Basket", version: 2)),
        ] {
            let append = StreamAppend(stream: stream, events: [other])
            #expect(
                await code { () throws(EventStreamingError) in _ = try await store.append(append) } == .eventIDConflict
            )
        }
        #expect(try await fixture.metadata().count == 2)
    }

    @Test("The id of a trimmed event may be used again")
    func trimmedIDs() async throws {
        let fixture = try await Fixture(.persistent)
        let events = fixture.events(200)
        _ = try await fixture.store.append(StreamAppend(stream: fixture.stream, events: events))
        _ = try await fixture.store.trim(fixture.stream, before: StreamOffset(150))
        let again = StreamAppend(stream: fixture.stream, events: Array(events[10..<20]))
        #expect(try await fixture.store.append(again) == AppendResult(offsets: Range(200..<210)))
        #expect(try await fixture.store.append(again) == AppendResult(offsets: Range(200..<210), isDuplicate: true))
    }
}
