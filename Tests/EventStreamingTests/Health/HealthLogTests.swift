import EventStreamingCore
import InMemoryLogging
import Logging
import Testing

@testable import EventStreaming

@Suite("Health in the log", .timeLimit(.minutes(5)))
struct HealthLogTests {
    /// The warnings about the health of a subscription whose only consumer leaves.
    private func warnings(whenShuttingDown isShuttingDown: Bool) async throws -> [InMemoryLogHandler.Entry] {
        let handler = InMemoryLogHandler()
        let streaming = try makeOrders(
            also: { $0.options.logger = Logger(label: "test") { _ in handler } }
        )
        let engine = streaming.engine
        let definition = try #require(engine.plans[SubscriptionID("mail")]?.definition)
        try await engine.preparation.ready()
        let registration = try await engine.store.registerConsumer(
            ConsumerID("a"), of: definition.id, kind: .durable, start: nil)
        let before = await engine.health.observe(definition, after: engine.preparation)
        #expect(before?.health.status == .ok)
        try await engine.store.unregisterConsumer(registration)
        if isShuttingDown {
            engine.lifecycle.drain()
        }
        let after = await engine.health.observe(definition, after: engine.preparation)
        #expect(after?.health.status == .noOwner)
        return handler.entries.filter { $0.level == .warning }
    }

    @Test("a change for the worse is a warning")
    func change() async throws {
        let warnings = try await warnings(whenShuttingDown: false)
        #expect(warnings.count == 1)
        #expect(warnings.first?.metadata["subscription"] == "mail")
    }

    @Test("that nobody consumes what a service leaves behind when it shuts down is none")
    func shuttingDown() async throws {
        #expect(try await warnings(whenShuttingDown: true).isEmpty)
    }
}
