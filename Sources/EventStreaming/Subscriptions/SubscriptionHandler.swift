import EventStreamingCore

/// What a subscription does with its deliveries while the service runs.
struct SubscriptionHandler: Sendable {
    private let body: @Sendable (Delivery) async throws -> Void

    init(_ body: @escaping @Sendable (Delivery) async throws -> Void) {
        self.body = body
    }

    /// Handles one type, and leaves others to `next`; with none, they need no handling.
    init<E: Event>(
        _ type: E.Type,
        _ body: @escaping @Sendable (E, Delivery) async throws -> Void,
        otherwise next: SubscriptionHandler?
    ) {
        self.body = { delivery in
            if let event = delivery.event as? E {
                try await body(event, delivery)
            } else {
                try await next?(delivery)
            }
        }
    }

    func callAsFunction(_ delivery: Delivery) async throws {
        try await body(delivery)
    }
}
