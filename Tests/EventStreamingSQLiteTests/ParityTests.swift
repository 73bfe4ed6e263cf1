import EventStreamingConformance
import EventStreamingInMemory
import EventStreamingSQLite
import Testing

@Suite("Comparing the SQLite store", .timeLimit(.minutes(5)))
struct ParityTests {
    @Test("Decides as the store in memory, in random histories", arguments: UInt64(1)...12)
    func memory(seed: UInt64) async throws {
        try await withTemporaryFolder { folder in
            try await StoreParity.run(
                seed: seed,
                stores: [
                    ("memory", { clock in InMemoryEventStreamStore(clock: clock) }),
                    ("sqlite", { clock in try SQLiteEventStreamStore(path: folder + "/events.sqlite", clock: clock) }),
                ]
            )
        }
    }
}
