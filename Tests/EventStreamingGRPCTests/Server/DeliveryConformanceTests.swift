import EventStreaming
import EventStreamingConformance
import Testing

@Suite("Conformance of the provider in the process", .timeLimit(.minutes(5)))
struct InProcessConformanceTests {
    @Test("Follows the contract of providers", arguments: DeliveryConformance.checks)
    func conforms(_ check: DeliveryCheck) async throws {
        try await check.run { service, _, body in try await body(service.deliveryProvider) }
    }

    @Test("Every check has a name of its own")
    func names() {
        #expect(Set(DeliveryConformance.checks.map(\.name)).count == DeliveryConformance.checks.count)
    }
}
