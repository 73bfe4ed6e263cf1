#if PostgreSQL
import EventStreamingConformance
import PostgreSQLTesting
import Testing

@Suite("Conformance of the store in PostgreSQL", .serialized, .timeLimit(.minutes(5)))
struct ConformanceTests {
    @Test("Follows the contract of stores", arguments: StoreConformance.checks)
    func conforms(_ check: StoreCheck) async throws {
        try await check.run { clock in try PostgreSQLServer.makeStore(clock: clock) }
    }
}
#endif
