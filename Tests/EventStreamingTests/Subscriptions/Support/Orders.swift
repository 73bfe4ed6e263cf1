import EventStreamingInMemory
import EventStreamingTesting

@testable import EventStreaming

/// A service with one stream of orders and the subscription `mail`.
func makeOrders(
    _ type: StreamType = .persistent,
    storage: EventStreamingStorage = .inMemory,
    clock: any EventStreamingClock = SystemClock(),
    mail: (inout SubscriptionConfiguration) throws -> Void = { _ in },
    also configure: (inout EventStreamingBuilder) throws -> Void = { _ in }
) throws -> EventStreaming {
    try EventStreaming(storage: storage) { streaming in
        streaming.options.clock = clock
        streaming.addStream(OrderWorkflow.self) { $0.type = type }
        try streaming.addSubscription("mail") { subscription in
            subscription.stream(OrderWorkflow.self)
            try mail(&subscription)
        }
        try configure(&streaming)
    }
}

extension EventStreamingStorage {
    /// A store shared by everybody who is given this storage.
    static func shared(_ store: any EventStreamingStore) -> EventStreamingStorage {
        EventStreamingStorage { _ in store }
    }
}

extension Delivery {
    /// The number of the order; -1 for other events.
    var number: Int {
        (event as? OrderPlaced)?.number ?? (event as? OrderShipped)?.number ?? -1
    }
}

/// A delivery as tests compare it.
struct Seen: Sendable, Hashable, CustomStringConvertible {
    var number: Int
    var attempt = 1

    init(_ number: Int, attempt: Int = 1) {
        self.number = number
        self.attempt = attempt
    }

    init(_ delivery: Delivery) {
        self.init(delivery.number, attempt: delivery.attempt)
    }

    var description: String { attempt == 1 ? "\(number)" : "\(number)(\(attempt))" }
}

extension EventStreaming {
    /// Emits orders with these numbers in one append.
    func place(_ numbers: some Sequence<Int>) async throws {
        try await emitter.emit(numbers.map { OrderPlaced(number: $0) })
    }

    /// The position of a subscription, or of one of its consumers.
    func position(of subscription: String = "mail", _ consumer: String? = nil) async throws -> SubscriptionProgress? {
        try await progress(of: subscription).first { $0.consumer?.rawValue == consumer || consumer == nil }
    }

    /// Waits until `isReached` holds; looked at whenever this service has done something.
    func wait(
        until isReached: @escaping @Sendable (EventStreaming) async throws -> Bool
    ) async throws {
        try await inTime(.seconds(60), "the state waited for was not reached") {
            while true {
                let mark = self.activityMark
                if try await isReached(self) { return }
                try Task.checkCancellation()
                await self.waitForActivity(since: mark)
            }
        }
    }

    /// Takes and acknowledges `count` deliveries of `mail` under a name, and leaves.
    func take(_ count: Int, of subscription: String = "mail", as consumer: String) async throws -> [Seen] {
        try await subscribe(to: subscription, as: consumer).take(count)
    }
}

extension Subscription {
    /// Takes and acknowledges `count` deliveries, and leaves.
    func take(_ count: Int) async throws -> [Seen] {
        let subscription = self
        return try await inTime(.seconds(60), "not \(count) deliveries") {
            var seen: [Seen] = []
            for try await delivery in subscription {
                seen.append(Seen(delivery))
                if seen.count == count {
                    try await delivery.acknowledge()
                    break
                }
            }
            return seen
        }
    }
}

extension Sequence<Int> {
    var seen: [Seen] { map { Seen($0) } }
}

/// The code of the error that `work` throws; `nil` when it throws none, or another one.
func errorCode(_ work: () async throws -> Void) async -> EventStreamingError.Code? {
    do {
        try await work()
        return nil
    } catch {
        return (error as? EventStreamingError)?.code
    }
}
