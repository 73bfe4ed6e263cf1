#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Testing

@Suite("Partitions", .timeLimit(.minutes(2)))
struct PartitionTests {
    private let ids = MessageIDGenerator(clock: SystemClock())

    @Test("A stream goes on from partition to partition, and knows its events in all of them")
    func crossing() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.eventsPerPartition = 1000 }
        let (long, short) = (try StreamName("long"), try StreamName("short"))
        for stream in [long, short] {
            try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        }
        let events = makeEvents(3500, ids)
        for start in stride(from: 0, to: events.count, by: 70) {
            let result = try await store.enqueue(Array(events[start..<start + 70]), to: long)
            #expect(result.offsets.lowerBound.rawValue == Int64(start))
        }
        _ = try await store.enqueue(makeEvents(10, ids), to: short)
        let partitions = try await store.withPostgreSQLTransaction {
            try $0.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^events_' ORDER BY relname")
        }
        #expect(partitions.compactMap { $0[0] }.filter { !$0.isEmpty }.count >= 4)
        let stored = try await store.read(long, from: .zero, direction: .forward, limit: .max)
        #expect(stored.map(\.id) == events.map(\.id))
        let back = try await store.read(long, from: StreamOffset(2100), direction: .backward, limit: 200)
        #expect(back.map(\.offset.rawValue) == (1901...2100).reversed().map { Int64($0) })
        for range in [0..<5, 995..<1005, 2000..<2100, 3400..<3500] {
            let again = try await store.enqueue(Array(events[range]), to: long)
            let offsets = StreamOffset(Int64(range.lowerBound))..<StreamOffset(Int64(range.upperBound))
            #expect(again == AppendResult(offsets: offsets, isDuplicate: true))
        }
        try await expectError(.eventIDConflict) {
            _ = try await store.enqueue([events[1000]] + makeEvents(1, ids), to: long)
        }
    }

    @Test("Ids that are older than those of sealed partitions are looked for, and found to be new")
    func oldIDs() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.eventsPerPartition = 1000 }
        let stream = try StreamName("orders")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        let late = makeEvents(5, ids)
        _ = try await store.enqueue(makeEvents(1200, ids), to: stream)
        let result = try await store.enqueue(late, to: stream)
        #expect(result == AppendResult(offsets: StreamOffset(1200)..<StreamOffset(1205)))
        #expect(try await store.enqueue(late, to: stream).isDuplicate)
    }

    @Test("Trimmed events give back their space: whole partitions, and rows of the last one")
    func space() async throws {
        let store = try PostgreSQLServer.makeStore(clock: SystemClock()) { $0.eventsPerPartition = 1000 }
        let stream = try StreamName("orders")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        let events = makeEvents(3500, ids)
        _ = try await store.enqueue(events, to: stream)
        #expect(try await store.trim(stream, before: StreamOffset(2100)) == 2100)
        _ = try await store.expireConsumers()
        let partitions = try await store.withPostgreSQLTransaction {
            try $0.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1")
        }
        #expect(partitions == [["events_2000"], ["events_3000"]])
        let rows = try await store.withPostgreSQLTransaction { try $0.execute("SELECT count(*) FROM events") }
        #expect(rows == [["1400"]])
        let kept = try await store.read(stream, from: StreamOffset(2100), direction: .forward, limit: .max)
        #expect(kept.map(\.id) == events[2100...].map(\.id))
        // A new stream begins in a partition that was dropped.
        let other = try StreamName("other")
        try await store.createStream(StreamDefinition(name: other, type: .persistent))
        #expect(try await store.enqueue(makeEvents(2500, ids), to: other).offsets.upperBound == StreamOffset(2500))
        #expect(try await store.enqueue(makeEvents(3, ids), to: stream).offsets.lowerBound == StreamOffset(3500))
    }

    @Test(
        "A user who may only work with the tables is told what to do about a new partition, and goes on when it is there"
    )
    func tablesOnly() async throws {
        var options = try PostgreSQLServer.freshOptions()
        options.eventsPerPartition = 1000
        let server = try PostgreSQLServer.shared.get()
        let owner = try PostgreSQLEventStreamStore(url: server.url(), options: options)
        let stream = try StreamName("orders")
        try await owner.createStream(StreamDefinition(name: stream, type: .persistent))
        let user = "u" + options.schema.description.dropFirst()
        try await server.runScript(
            """
            CREATE ROLE \(user) LOGIN;
            GRANT USAGE ON SCHEMA \(options.schema) TO \(user);
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \(options.schema) TO \(user);
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA \(options.schema) TO \(user);
            """
        )
        options.migratesSchema = false
        let store = try PostgreSQLEventStreamStore(url: server.url(user: user), options: options)
        let other = try StreamName("other")
        try await store.createStream(StreamDefinition(name: other, type: .persistent))
        _ = try await store.enqueue(makeEvents(990, ids), to: stream)
        let events = makeEvents(20, ids)
        let error = try await expectError(.invalidConfiguration) { _ = try await store.enqueue(events, to: stream) }
        #expect(error.message.contains("make_event_partitions(990, 1009)"))
        _ = try await store.enqueue(makeEvents(10, ids), to: stream)
        try await server.runScript("SET search_path = \(options.schema); SELECT make_event_partitions(990, 1009)")
        #expect(try await store.enqueue(events, to: stream).offsets.lowerBound == StreamOffset(1000))
        // Nor may it drop one: the rows go, the table stays.
        try await expectNoRows(before: 1000, of: stream, in: store)
    }

    private func expectNoRows(
        before offset: Int64,
        of stream: StreamName,
        in store: PostgreSQLEventStreamStore
    ) async throws {
        #expect(try await store.trim(stream, before: StreamOffset(offset)) == Int(offset))
        _ = try await store.expireConsumers()
        let rows = try await store.withPostgreSQLTransaction {
            try $0.execute(#"SELECT count(*) FROM events WHERE "offset" < $1::bigint"#, ["\(offset)"])
        }
        #expect(rows == [["0"]])
    }
}
#endif
