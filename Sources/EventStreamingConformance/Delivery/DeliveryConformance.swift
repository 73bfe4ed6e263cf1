/// Everything that a provider of deliveries must be able to do, as a list of named checks.
///
/// For authors of transports. Each check makes a small service with its own clock, and asks for a provider of it; what it then
/// does goes through that provider, and what it looks at afterwards through the service. With Swift Testing:
///
/// ```swift
/// @Test("Follows the contract of providers", arguments: DeliveryConformance.checks)
/// func conforms(_ check: DeliveryCheck) async throws {
///     try await check.run { service, clock, body in
///         try await body(service.deliveryProvider)
///     }
/// }
/// ```
public enum DeliveryConformance {
    /// All checks, each with a name of its own.
    public static let checks: [DeliveryCheck] = PublishingChecks.all + ConsumingChecks.all + ConsumerLifeChecks.all
}
