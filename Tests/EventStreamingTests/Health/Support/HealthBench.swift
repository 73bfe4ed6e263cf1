import EventStreamingInMemory
import EventStreamingTesting

@testable import EventStreaming

/// A service that is not run, so that each call of `health` is a look, and a store to be its consumers.
struct HealthBench: Sendable {
    static let unavailable = EventStreamingError(.storeUnavailable, "not now")

    let clock = ManualClock()
    let store: FaultInjectingStore
    let mail: SubscriptionID

    init() throws {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
        mail = try SubscriptionID("mail")
    }

    /// The service; consumers live for a day.
    func makeService(
        _ mode: SubscriptionMode = .exclusive,
        change: (inout SubscriptionConfiguration) -> Void = { _ in }
    ) async throws -> EventStreaming {
        let streaming = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.mode = mode
                subscription.retry.jitter = 0
                subscription.visibilityTimeout = .seconds(86_400)
                subscription.consumerTimeout = .seconds(86_400)
                change(&subscription)
            }
        )
        _ = try await streaming.progress(of: "mail")
        return streaming
    }

    func register(_ name: String, kind: ConsumerKind = .durable) async throws -> ConsumerRegistration {
        try await store.registerConsumer(ConsumerID(name), of: mail, kind: kind, start: nil)
    }

    func lease(_ limit: Int, as consumer: ConsumerRegistration) async throws -> Lease {
        guard case .lease(let lease) = try await store.dequeue(as: consumer, limit: limit) else {
            throw Failure(reason: "there is nothing to lease")
        }
        return lease
    }

    /// Looks every ten seconds for a while, as a service that runs does.
    func pass(_ seconds: Int, _ streaming: EventStreaming) async throws {
        for _ in 0..<seconds / 10 {
            clock.advance(by: .seconds(10))
            _ = try await streaming.health(of: "mail")
        }
    }
}
