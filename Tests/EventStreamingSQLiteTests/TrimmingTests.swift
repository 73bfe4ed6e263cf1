import EventStreamingCore
import EventStreamingSQLite
import GRDB
import Testing

@Suite("Trimming an SQLite stream", .timeLimit(.minutes(5)))
struct TrimmingTests {
    private static func rows(of store: SQLiteEventStreamStore) async throws -> Int {
        try await store.withSQLiteTransaction {
            try Int.fetchOne($0.database, sql: "SELECT count(*) FROM events") ?? 0
        }
    }

    @Test("A large trim is exact at once; the rows go little by little, and all of them at last")
    func large() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                for _ in 0..<15 {
                    try await fixture.append(1_000, to: store)
                }
                #expect(try await store.trim(fixture.stream, before: StreamOffset(14_000)) == 14_000)
                let metadata = try await store.metadata(of: fixture.stream)
                #expect(metadata.first == StreamOffset(14_000))
                #expect(metadata.bytes == 8_000)
                #expect(try await Self.rows(of: store) > 1_000)
                let error = await storeError {
                    _ = try await store.read(fixture.stream, from: .zero, direction: .forward, limit: 1)
                }
                #expect(error?.code == .offsetTrimmed)
                #expect(
                    try await store.read(fixture.stream, from: StreamOffset(14_000), direction: .backward, limit: 9)
                        .map(\.offset.rawValue) == [14_000])
                _ = try await store.expireConsumers()
                #expect(try await Self.rows(of: store) == 1_000)
            }
        }
    }

    @Test("The id of a trimmed event is free at once, though its row may still be there")
    func freedID() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                let events = fixture.events(10_000)
                _ = try await store.enqueue(events, to: fixture.stream)
                _ = try await store.trim(fixture.stream, before: StreamOffset(9_999))
                #expect(try await Self.rows(of: store) > 1)
                let again = try await store.enqueue([events[9_990], events[9_991]], to: fixture.stream)
                #expect(!again.isDuplicate)
                #expect(again.offsets == StreamOffset(10_000)..<StreamOffset(10_002))
                #expect(try await store.enqueue([events[9_999]], to: fixture.stream).isDuplicate)
                _ = try await store.expireConsumers()
                #expect(try await fixture.ids(in: store) == [events[9_999], events[9_990], events[9_991]].map(\.id))
            }
        }
    }

    @Test("A queue that is worked off keeps no rows")
    func queue() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(.ephemeral, in: store)
                try await fixture.makeSubscription(in: store)
                let consumer = try await fixture.register(in: store)
                for _ in 0..<20 {
                    try await fixture.append(50, to: store)
                    try await store.acknowledge(try await fixture.lease(50, as: consumer, in: store))
                }
                #expect(try await Self.rows(of: store) == 0)
                #expect(
                    try await store.withSQLiteTransaction {
                        try Int.fetchOne($0.database, sql: "SELECT count(*) FROM deliveries")
                    } == 0)
            }
        }
    }
}
