#if PostgreSQL
import EventStreamingConformance
import EventStreamingInMemory
import EventStreamingSQLite
import Foundation
import PostgreSQLTesting
import Testing

@Suite("Comparing the stores", .serialized, .timeLimit(.minutes(5)))
struct ParityTests {
    /// Some, and those that found a difference once.
    private static let seeds = Array(UInt64(101)...112) + [1029, 1293, 1350, 1376, 1427, 1451, 1457, 1465]

    @Test("All three stores decide alike, in random histories", arguments: seeds)
    func allStores(seed: UInt64) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("parity-\(UUID().uuidString).sqlite")
        defer {
            for ending in ["", "-wal", "-shm", "-lock"] {
                try? FileManager.default.removeItem(atPath: file.path + ending)
            }
        }
        try await StoreParity.run(
            seed: seed,
            stores: [
                ("memory", { clock in InMemoryEventStreamStore(clock: clock) }),
                ("sqlite", { clock in try SQLiteEventStreamStore(path: file.path, clock: clock) }),
                ("postgresql", { clock in try PostgreSQLServer.makeStore(clock: clock) }),
            ]
        )
    }
}
#endif
