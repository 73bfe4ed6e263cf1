import EventStreamingCore
import Logging
import Synchronization

/// What an engine has in place of a store when the events are elsewhere: its consumers and appends go through a provider.
///
/// A consumer that cannot be connected is tried again, for as long as that makes sense. One that was connected and is lost
/// answers `unknownConsumer`; the engine's consumer then registers again, as it does when a registration expires.
final class RemoteStore: Sendable {
    private struct Connection: Sendable {
        var consumer: any DeliveryConsumer
        var key: Key
    }

    private struct Key: Sendable, Hashable {
        var subscription: SubscriptionID
        var consumer: ConsumerID
    }

    /// What is remembered of a consumer from one connection to the next.
    private struct History: Sendable {
        var terms: ConsumerTerms
        var connectedAt: Duration
        /// How many connections in a row did not last.
        var losses = 0
    }

    private struct State: Sendable {
        var connections: [ConsumerRegistration: Connection] = [:]
        var histories: [Key: History] = [:]
        var isEnding = false
    }

    private let provider: any EventDeliveryProvider
    private let policy: ReconnectPolicy
    private let clock: any EventStreamingClock
    private let logger: Logger
    private let state = Mutex(State())
    private let endings = Signal()
    private let observer = Mutex<WeakRouter>(WeakRouter())

    private struct WeakRouter: Sendable {
        weak var router: StreamRouter?
    }

    init(_ provider: any EventDeliveryProvider, reconnects: ReconnectPolicy, options: EventStreamingOptions) {
        self.provider = provider
        policy = reconnects
        clock = options.clock
        logger = options.logger
    }

    /// Connects nobody any more; whoever waits to be connected is told so.
    func end() {
        state.withLock { $0.isEnding = true }
        endings.notify()
    }

    // MARK: - Connecting

    /// Connects a consumer, however long that takes.
    ///
    /// - Throws: what is not worth another attempt; `shuttingDown` after ``end()``; `cancelled`.
    func connect(_ request: ConsumerRequest, as id: ConsumerID?) async throws(EventStreamingError)
        -> any DeliveryConsumer
    {
        var attempt = 0
        if let id {
            attempt = await pauseAfterLoss(of: Key(subscription: request.subscription, consumer: id))
        }
        while true {
            let version = endings.version
            if state.withLock({ $0.isEnding }) { throw Lifecycle.shuttingDown }
            try checkCancellation()
            do throws(EventStreamingError) {
                let consumer = try await provider.connect(request) { [weak self] in
                    self?.observer.withLock { $0.router }?.signal(of: request.subscription).notify()
                }
                try await remember(consumer, as: id)
                return consumer
            } catch {
                guard error.isRetriable || error.code == .limitExceeded else { throw error }
                attempt += 1
                let delay = policy.delay(beforeAttempt: attempt)
                logger.log(
                    level: attempt == 1 ? .warning : .debug,
                    "A consumer cannot be connected; it is tried again.",
                    metadata: [
                        LogKey.subscription: "\(request.subscription)", LogKey.error: "\(error)", "delay": "\(delay)",
                    ]
                )
                await endings.wait(since: version, until: clock.uptime + delay, clock: clock)
            }
        }
    }

    /// Waits before a lost consumer is connected again: the longer, the more often that was for nothing.
    private func pauseAfterLoss(of key: Key) async -> Int {
        let losses = state.withLock { state -> Int? in
            guard var history = state.histories[key] else { return nil }
            history.losses = clock.uptime - history.connectedAt < policy.longestDelay ? history.losses + 1 : 1
            state.histories[key] = history
            return history.losses
        }
        guard let losses else { return 0 }
        let version = endings.version
        guard !state.withLock({ $0.isEnding }) else { return losses }
        await endings.wait(since: version, until: clock.uptime + policy.delay(beforeAttempt: losses), clock: clock)
        return losses
    }

    private func checkCancellation() throws(EventStreamingError) {
        guard Task.isCancelled else { return }
        throw EventStreamingError(.cancelled, "The task was cancelled before its consumer was connected.")
    }

    private func remember(_ consumer: any DeliveryConsumer, as id: ConsumerID?) async throws(EventStreamingError) {
        let registration = consumer.registration
        let key = Key(subscription: registration.subscription, consumer: id ?? registration.consumer)
        let isKnown = state.withLock { state in
            var history = state.histories[key] ?? History(terms: consumer.terms, connectedAt: .zero)
            guard history.terms.mode == consumer.terms.mode, history.terms.semantics == consumer.terms.semantics else {
                return false
            }
            history.connectedAt = clock.uptime
            state.histories[key] = history
            state.connections[registration] = Connection(consumer: consumer, key: key)
            return true
        }
        guard !isKnown else { return }
        await consumer.close()
        throw EventStreamingError(
            .subscriptionConflict,
            "Subscription '\(registration.subscription)' has changed its mode or semantics meanwhile; begin a new loop."
        )
    }

    // MARK: - Connected consumers

    private func consumer(of registration: ConsumerRegistration) throws(EventStreamingError) -> any DeliveryConsumer {
        guard let connection = state.withLock({ $0.connections[registration] }) else {
            throw Self.unknown(registration)
        }
        return connection.consumer
    }

    private static func unknown(_ registration: ConsumerRegistration) -> EventStreamingError {
        EventStreamingError(.unknownConsumer, "Consumer '\(registration.consumer)' is not connected.")
    }

    /// Calls a connected consumer, and lets go of it where it says that it has ended.
    private func asking<Result>(
        _ registration: ConsumerRegistration,
        _ call: (any DeliveryConsumer) async throws(EventStreamingError) -> Result
    ) async throws(EventStreamingError) -> Result {
        let consumer = try consumer(of: registration)
        do throws(EventStreamingError) {
            return try await call(consumer)
        } catch {
            if error.code == .unknownConsumer || error.code == .consumerReplaced {
                _ = state.withLock { $0.connections.removeValue(forKey: registration) }
                await consumer.close()
            }
            throw error
        }
    }

    func dequeue(
        as registration: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?
    ) async throws(EventStreamingError) -> DequeueResult {
        try await asking(registration) { (consumer) async throws(EventStreamingError) in
            try await consumer.dequeue(limit: limit, settling: settlement)
        }
    }

    func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        guard let connection = state.withLock({ $0.connections[settlement.holder] }) else {
            throw EventStreamingError(
                .leaseExpired,
                "The connection over which this was delivered is lost; the event is delivered again."
            )
        }
        try await connection.consumer.settle(settlement)
    }

    func heartbeat(
        _ registration: ConsumerRegistration,
        extending leases: LeaseExtension
    ) async throws(EventStreamingError) {
        try await asking(registration) { (consumer) async throws(EventStreamingError) in
            try await consumer.heartbeat(extending: leases)
        }
    }

    func registerConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        kind: ConsumerKind,
        start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration {
        let request = ConsumerRequest(
            subscription: subscription,
            consumer: kind == .temporary ? nil : consumer,
            start: start
        )
        return try await connect(request, as: consumer).registration
    }

    func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError) {
        let connection = state.withLock { state in
            let connection = state.connections.removeValue(forKey: registration)
            if let connection, !state.connections.values.contains(where: { $0.key == connection.key }) {
                state.histories[connection.key] = nil
            }
            return connection
        }
        guard let connection else { throw Self.unknown(registration) }
        await connection.consumer.close()
    }

    func markRead(
        _ selection: ReceiptSelection,
        by consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        let key = Key(subscription: subscription, consumer: consumer)
        guard let registration = state.withLock({ $0.connections.first { $0.value.key == key }?.key }) else {
            throw EventStreamingError(
                .storeUnavailable,
                "Consumer '\(consumer)' is not connected at the moment, so nothing can be marked as read."
            )
        }
        return try await asking(registration) { (consumer) async throws(EventStreamingError) in
            try await consumer.markRead(selection)
        }
    }

    // MARK: - Appending

    var payloadForm: PayloadForm { .encoded }

    func append(_ append: StreamAppend) async throws(EventStreamingError) -> AppendResult {
        guard let result = await provider.publish([append]).first else {
            throw EventStreamingError(.storeUnavailable, "The append was not answered.")
        }
        return try result.get()
    }

    func append(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        await provider.publish(group)
    }

    func addObserver(_ observer: any StreamObserver) {
        self.observer.withLock { $0.router = observer as? StreamRouter }
    }
}
