import EventStreamingCore
import EventStreamingTesting

extension StoreHarness {
    /// Creates a subscription whose retries come exactly after 1, 2, 4… seconds, and whose leases last 30 seconds.
    func makeSubscription(
        _ id: String = "mailer",
        of stream: StreamName,
        _ mode: SubscriptionMode = .exclusive,
        change: (inout SubscriptionDefinition) -> Void = { _ in }
    ) async throws -> SubscriptionDefinition {
        var retry = RetryPolicy()
        retry.jitter = 0
        var definition = try SubscriptionDefinition(
            id: SubscriptionID(id),
            stream: stream,
            mode: mode,
            retry: retry,
            visibilityTimeout: .seconds(30),
            consumerTimeout: .seconds(3600)
        )
        change(&definition)
        try await store.createSubscription(definition)
        return definition
    }

    /// Registers a consumer.
    func register(
        _ name: String,
        of subscription: SubscriptionDefinition,
        kind: ConsumerKind = .durable,
        start: StartPosition? = nil
    ) async throws -> ConsumerRegistration {
        try await store.registerConsumer(try ConsumerID(name), of: subscription.id, kind: kind, start: start)
    }

    /// A stream, an exclusive subscription and its consumer `c1`.
    func makeQueue(
        change: (inout SubscriptionDefinition) -> Void = { _ in }
    ) async throws -> (stream: StreamName, subscription: SubscriptionDefinition, consumer: ConsumerRegistration) {
        let stream = try await makeStream()
        let subscription = try await makeSubscription(of: stream, change: change)
        return (stream, subscription, try await register("c1", of: subscription))
    }

    /// Fails unless there are events for the consumer, and returns their lease.
    func lease(
        as consumer: ConsumerRegistration,
        limit: Int = 100,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> Lease {
        switch try await store.dequeue(as: consumer, limit: limit) {
        case .lease(let lease):
            return lease
        case .empty(let until):
            let until = until.map { "\($0)" } ?? "no known time"
            throw ConformanceFailure(
                message: "expected events for \(consumer.consumer) at \(clock.uptime), got none until \(until)",
                file: file,
                line: line
            )
        }
    }

    /// Fails unless the consumer gets exactly these offsets in one lease, and returns it.
    @discardableResult
    func lease(
        _ expected: Range<Int64>,
        as consumer: ConsumerRegistration,
        attempt: Int = 1,
        limit: Int? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> Lease {
        let lease = try await lease(as: consumer, limit: limit ?? expected.count, file: file, line: line)
        let delivered = lease.events.map(\.offset.rawValue)
        try requireEqual(delivered, Array(expected), "offsets delivered", file: file, line: line)
        try requireEqual(lease.attempt, attempt, "attempt of \(expected)", file: file, line: line)
        try require(
            lease.offsets.contains(StreamOffset(expected.lowerBound))
                && lease.offsets.upperBound.rawValue >= expected.upperBound,
            "the lease covers \(lease.offsets), not all of \(expected)",
            file: file,
            line: line
        )
        return lease
    }

    /// Fails when there is anything for the consumer; otherwise returns when there may be.
    @discardableResult
    func requireNothing(
        for consumer: ConsumerRegistration,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> Duration? {
        switch try await store.dequeue(as: consumer, limit: 100) {
        case .lease(let lease):
            throw ConformanceFailure(
                message: "expected nothing for \(consumer.consumer) at \(clock.uptime), got \(lease.offsets)",
                file: file,
                line: line
            )
        case .empty(let until):
            return until
        }
    }

    /// Calls `body` with leases until there are no more; fails when there is no end of them.
    func forEachLease(
        as consumer: ConsumerRegistration,
        limit: Int = 10,
        file: String = #fileID,
        line: Int = #line,
        _ body: (Lease) async throws -> Void
    ) async throws {
        for _ in 0..<10_000 {
            guard case .lease(let lease) = try await store.dequeue(as: consumer, limit: limit) else { return }
            try await body(lease)
        }
        throw ConformanceFailure(message: "there is no end of leases", file: file, line: line)
    }

    /// The progress of the position of a consumer, or of the shared one.
    func progress(
        of subscription: SubscriptionDefinition,
        consumer: String? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> SubscriptionProgress {
        let all = try await store.progress(of: subscription.id)
        guard let progress = all.first(where: { $0.consumer?.rawValue == consumer }) else {
            let names = all.map { $0.consumer?.rawValue ?? "(shared)" }
            throw ConformanceFailure(
                message: "no position of \(consumer ?? "(shared)") among \(names)",
                file: file,
                line: line
            )
        }
        return progress
    }

    /// Fails unless the position is at this offset.
    func requirePosition(
        _ expected: Int64,
        of subscription: SubscriptionDefinition,
        consumer: String? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let progress = try await progress(of: subscription, consumer: consumer, file: file, line: line)
        try requireEqual(progress.position.rawValue, expected, "position", file: file, line: line)
    }

    /// The open dead letters.
    func deadLetters(of subscription: SubscriptionDefinition) async throws -> [DeadLetter] {
        try await store.deadLetters(of: subscription.id, from: .zero, limit: 1000)
    }

    /// Gives up the first event for the consumer at once.
    func giveUpNext(as consumer: ConsumerRegistration, reason: String = "broken") async throws {
        let lease = try await lease(as: consumer, limit: 1)
        try await store.nack(lease.offsets, of: lease, action: .deadLetter, reason: reason)
    }
}
