import EventStreamingConformance
import EventStreamingSQLite
import Testing

@Suite("Conformance of the SQLite store", .timeLimit(.minutes(5)))
struct ConformanceTests {
    @Test("Follows the contract of stores", arguments: StoreConformance.checks)
    func conforms(_ check: StoreCheck) async throws {
        try await withTemporaryFolder { folder in
            try await check.run { clock in
                try SQLiteEventStreamStore(path: folder + "/events.sqlite", clock: clock)
            }
        }
    }
}
