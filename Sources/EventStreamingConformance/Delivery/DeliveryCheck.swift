public import EventStreaming
import EventStreamingCore
public import EventStreamingTesting

/// One named check that any provider of deliveries has to pass.
public struct DeliveryCheck: Sendable, CustomStringConvertible {
    /// Makes a provider of a service, calls `body` with it, and ends it when `body` has returned. The clock is the service's.
    public typealias ProviderFactory =
        @Sendable (
            _ service: EventStreaming,
            _ clock: ManualClock,
            _ body: @escaping @Sendable (any EventDeliveryProvider) async throws -> Void
        ) async throws -> Void

    /// What the check finds out, for example `consuming: events come in order`.
    public let name: String
    private let body: @Sendable (DeliveryHarness) async throws -> Void

    /// The name.
    public var description: String { name }

    init(_ name: String, _ body: @escaping @Sendable (DeliveryHarness) async throws -> Void) {
        self.name = name
        self.body = body
    }

    /// Runs the check.
    ///
    /// - Parameter withProvider: Makes the provider. Called once.
    /// - Throws: ``ConformanceFailure`` when the provider breaks the contract, and whatever unexpected error it throws.
    @concurrent
    public func run(_ withProvider: ProviderFactory) async throws {
        let clock = ManualClock()
        let service = try DeliveryHarness.makeService(clock)
        try await withProvider(service, clock) { provider in
            try await body(DeliveryHarness(provider: provider, service: service, clock: clock))
        }
    }
}
