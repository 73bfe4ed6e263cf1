import EventStreamingConformance
import EventStreamingInMemory
import Testing

@Suite("Conformance of the in-memory store", .timeLimit(.minutes(2)))
struct ConformanceTests {
    @Test("Follows the contract of stores", arguments: StoreConformance.checks)
    func conforms(_ check: StoreCheck) async throws {
        try await check.run { clock in InMemoryEventStreamStore(clock: clock) }
    }

    @Test("Every check has a name of its own")
    func names() {
        #expect(Set(StoreConformance.checks.map(\.name)).count == StoreConformance.checks.count)
    }
}
