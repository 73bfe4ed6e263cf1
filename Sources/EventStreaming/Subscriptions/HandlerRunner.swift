import EventStreamingCore
import Logging

/// Runs a subscription's handler: a fixed number of workers that share one consumer, no task per event.
struct HandlerRunner: Sendable {
    let plan: SubscriptionPlan
    let engine: Engine

    private static let retry: RetryPolicy = {
        var policy = RetryPolicy()
        policy.initialDelay = .milliseconds(100)
        policy.maximumDelay = .seconds(30)
        return policy
    }()

    /// Works until the service drains. A store that cannot be reached is tried again with delays that grow until something
    /// is settled again; a consumer that was replaced waits until its replacement has left.
    @concurrent
    func run() async {
        var failures = 0
        var random = SystemRandomNumberGenerator()
        while !engine.lifecycle.isDraining, !Task.isCancelled {
            let began = engine.clock.uptime
            let consumer = makeConsumer()
            guard let error = await consume(consumer) else { return }
            if consumer.hasSettled || engine.clock.uptime - began > Self.retry.maximumDelay {
                failures = 0
            }
            failures += 1
            let delay = Self.retry.delay(afterAttempt: failures, using: &random)
            engine.options.logger.warning(
                "A subscription's consumer ended; it starts again.",
                metadata: [
                    LogKey.subscription: "\(plan.definition.id)",
                    LogKey.consumer: "\(consumer.id)",
                    LogKey.error: "\(error)",
                    "delay": "\(delay)",
                ]
            )
            await wait(delay)
            while error.code == .consumerReplaced, await isConnected(consumer.id) {
                guard !engine.lifecycle.isDraining, !Task.isCancelled else { return }
                await wait(Self.retry.maximumDelay)
            }
        }
    }

    /// Waits for the delay to pass, or the service to drain.
    private func wait(_ delay: Duration) async {
        let changes = engine.lifecycle.changes
        let version = changes.version
        guard !engine.lifecycle.isDraining else { return }
        await changes.wait(since: version, until: engine.clock.uptime + delay, clock: engine.clock)
    }

    /// Whether a consumer of this name, which is not ours any more, is at work elsewhere.
    private func isConnected(_ consumer: ConsumerID) async -> Bool {
        let consumers = try? await engine.store.consumers(of: plan.definition.id)
        return consumers?.contains { $0.id == consumer && $0.isConnected } ?? true
    }

    /// Consumes with one registration; returns the error that ended it, or `nil` at the end of the service.
    private func consume(_ consumer: Consumer) async -> EventStreamingError? {
        let errors = await withTaskGroup(of: EventStreamingError?.self) { group in
            for _ in 0..<plan.maximumConcurrency {
                group.addTask { await work(consumer) }
            }
            return await group.reduce(into: [EventStreamingError]()) { errors, error in
                if let error { errors.append(error) }
            }
        }
        await consumer.close(countsAttempt: false)
        return errors.first { $0.code != .cancelled }
    }

    private func makeConsumer() -> Consumer {
        let id = plan.durableHandlerConsumer
        return Consumer(
            id ?? ConsumerID(engine.appender.ids.next()),
            kind: id == nil ? .temporary : .durable,
            start: nil,
            plan: plan,
            engine: engine,
            // Whoever handles them looks by himself.
            passesOverProcessed: false
        )
    }

    /// Handles deliveries until there are no more to come; returns the error that ended it, if any.
    private func work(_ consumer: Consumer) async -> EventStreamingError? {
        do throws(EventStreamingError) {
            if let handler = plan.transactionalHandler {
                try await TransactionalPipeline(handler: handler, consumer: consumer).run()
            } else if plan.marksWhenSettling {
                try await MarkingPipeline(runner: self, consumer: consumer).run()
            } else {
                try await handleEach(consumer)
            }
            return nil
        } catch {
            // The other workers finish what they are at, and find that there is nothing more.
            consumer.end()
            return error
        }
    }

    private func handleEach(_ consumer: Consumer) async throws(EventStreamingError) {
        var finished: DeliveryKey?
        while let handout = try await consumer.next(1, completing: finished) {
            let delivery = Delivery(handout.source, at: handout.indices.lowerBound)
            finished = try await handle(delivery) ? handout.key : nil
        }
    }

    /// Handles one delivery; returns whether it is finished and not yet settled.
    func handle(_ delivery: Delivery) async throws(EventStreamingError) -> Bool {
        let definition = plan.definition
        do {
            try await MessageContext.$current.withValue(.event(delivery.record)) {
                try await withLogger(logger(for: delivery)) { _ in
                    try await engine.telemetry.process(
                        delivery.record,
                        from: definition.stream,
                        of: definition.id
                    ) {
                        try await plan.handler?(delivery)
                    }
                }
            }
            return !delivery.isSettled
        } catch {
            try await reject(delivery, error)
            return false
        }
    }

    private func reject(_ delivery: Delivery, _ error: any Error) async throws(EventStreamingError) {
        // Cancelled by the end of the service: what was not finished is given back when the consumer closes.
        if Task.isCancelled { return }
        logger(for: delivery).debug("Handling an event failed.", metadata: [LogKey.error: "\(error)"])
        guard delivery.needsSettlement, !delivery.isSettled else { return }
        do throws(EventStreamingError) {
            try await delivery.reject(.requeue, reason: "\(error)")
        } catch  where error.code == .leaseExpired || error.code == .alreadySettled {
            return
        }
    }

    private func logger(for delivery: Delivery) -> Logger {
        var logger = engine.options.logger.correlated(by: delivery.workflowID)
        logger[metadataKey: LogKey.subscription] = .string(plan.definition.id.rawValue)
        logger[metadataKey: LogKey.eventID] = .stringConvertible(delivery.record.id)
        logger[metadataKey: LogKey.attempt] = .stringConvertible(delivery.attempt)
        return logger
    }
}
