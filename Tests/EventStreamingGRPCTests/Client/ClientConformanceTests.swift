import EventStreaming
import EventStreamingConformance
import EventStreamingGRPC
import Testing

@Suite("Conformance of the client, through a socket", .timeLimit(.minutes(5)))
struct ClientConformanceTests {
    @Test("Follows the contract of providers", arguments: DeliveryConformance.checks)
    func conforms(_ check: DeliveryCheck) async throws {
        try await check.run { service, clock, body in
            let server = GRPCEventDeliveryProvider(service) { server in
                server.port = 0
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                let port = try #require(await server.port)
                let client = try TestClient.make(port: port)
                group.addTask {
                    try await client.run()
                }
                do {
                    try await body(client.deliveryProvider)
                } catch {
                    group.cancelAll()
                    throw error
                }
                group.cancelAll()
                let passing = clock.passing()
                defer { passing.cancel() }
                while let result = await group.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
            }
        }
    }
}
