#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Testing

@Suite("Appends that share a commit", .timeLimit(.minutes(2)))
struct AppendTests {
    private let ids = MessageIDGenerator(clock: SystemClock())

    /// In which statements of their transactions the rows came: 0 when in the first. A group that is made one by
    /// one takes the streams' locks before.
    private func commands(_ store: PostgreSQLEventStreamStore) async throws -> Set<String?> {
        let rows = try await store.withPostgreSQLTransaction {
            try $0.execute("SELECT DISTINCT cmin::text FROM events")
        }
        return Set(rows.map { $0[0] })
    }

    @Test("Ids in another order than the appends do not keep them from being made by one statement")
    func interleavedIDs() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock())
        let (orders, others) = (try StreamName("orders"), try StreamName("others"))
        for stream in [orders, others] {
            try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        }
        let events = makeEvents(12, ids)
        let order = [0, 9, 4, 7, 2, 11, 1, 10, 3, 8, 5, 6]
        let results = await store.append(order.map { StreamAppend(stream: orders, events: [events[$0]]) })
        for (index, result) in results.enumerated() {
            let offset = StreamOffset(Int64(index))
            #expect(try result.get() == AppendResult(offsets: offset..<offset.advanced(by: 1)))
        }
        let stored = try await store.read(orders, from: .zero, direction: .forward, limit: .max)
        #expect(stored.map(\.id) == order.map { events[$0].id })
        let more = makeEvents(12, ids)
        let mixed = order.map { StreamAppend(stream: $0.isMultiple(of: 2) ? orders : others, events: [more[$0]]) }
        for result in await store.append(mixed) {
            #expect(try !result.get().isDuplicate)
        }
        #expect(try await commands(store) == ["0"])
    }

    @Test("An id that is twice in a group, between others, is stored once and found again")
    func repeatedID() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock())
        let orders = try StreamName("orders")
        try await store.createStream(StreamDefinition(name: orders, type: .persistent))
        let events = makeEvents(5, ids)
        let order = [0, 3, 1, 4, 1, 2]
        let results = await store.append(order.map { StreamAppend(stream: orders, events: [events[$0]]) })
        #expect(try results.map { try $0.get().offsets.lowerBound.rawValue } == [0, 1, 2, 3, 2, 4])
        #expect(try results.map { try $0.get().isDuplicate } == [false, false, false, false, true, false])
        let stored = try await store.read(orders, from: .zero, direction: .forward, limit: .max)
        #expect(stored.map(\.id) == [0, 3, 1, 4, 2].map { events[$0].id })
        #expect(try await commands(store) != ["0"])
    }

    @Test("Tasks that append to many streams, each alone and in groups, are all answered, with offsets without gaps")
    func manyStreams() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock())
        let names = try (0..<8).map { try StreamName("stream-\($0)") }
        for name in names {
            try await store.createStream(StreamDefinition(name: name, type: .persistent))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var last = Int64(-1)
                    for _ in 0..<40 {
                        let result = try await store.append(
                            StreamAppend(stream: names[task], events: makeEvents(1, ids))
                        )
                        #expect(result.offsets.lowerBound.rawValue > last)
                        last = result.offsets.lowerBound.rawValue
                    }
                }
                group.addTask {
                    for _ in 0..<20 {
                        // In another order for each task.
                        let order = (0..<8).map { names[($0 * 3 + task) % 8] }
                        for result in await store.append(
                            order.map { StreamAppend(stream: $0, events: makeEvents(2, ids)) }
                        ) {
                            let offsets = try result.get().offsets
                            #expect(offsets.upperBound.rawValue - offsets.lowerBound.rawValue == 2)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        for name in names {
            let stored = try await store.read(name, from: .zero, direction: .forward, limit: .max)
            #expect(stored.map(\.offset.rawValue) == (0..<360).map { Int64($0) })
        }
    }
}
#endif
