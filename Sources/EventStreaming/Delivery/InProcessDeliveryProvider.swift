public import EventStreamingCore
import ServiceLifecycle

/// The provider of a service to itself: what transports drive on behalf of their peers.
///
/// Works as long as its ``EventStreaming`` does, whether ``run()`` runs or not.
public struct InProcessDeliveryProvider: EventDeliveryProvider {
    let engine: Engine

    /// Makes appends to the service's streams; see ``EventDeliveryProvider/publish(_:)``.
    public func publish(_ appends: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        do throws(EventStreamingError) {
            try engine.lifecycle.admit()
        } catch {
            return appends.map { _ in .failure(error) }
        }
        return await engine.appender.append(appends)
    }

    /// Registers a consumer in the service's store; see ``EventDeliveryProvider/connect(_:onChange:)``.
    ///
    /// - Throws: besides, code `unsupported` for a subscription whose semantics are exactly once: the mark that an event was
    ///   processed belongs into the transaction of its effect, which is not here.
    public func connect(
        _ request: ConsumerRequest,
        onChange: @escaping @Sendable () -> Void
    ) async throws(EventStreamingError) -> any DeliveryConsumer {
        try engine.lifecycle.admit()
        guard let plan = engine.plans[request.subscription] else { throw .unknownSubscription(request.subscription) }
        try Self.check(request, plan.definition)
        try await engine.preparation.ready()
        let registration = try await engine.store.registerConsumer(
            request.consumer ?? ConsumerID(engine.appender.ids.next()),
            of: plan.definition.id,
            kind: request.consumer == nil ? .temporary : .durable,
            start: request.start
        )
        return InProcessDeliveryConsumer(registration, request, plan: plan, engine: engine, onChange: onChange)
    }

    private static func check(
        _ request: ConsumerRequest,
        _ definition: SubscriptionDefinition
    ) throws(EventStreamingError) {
        guard definition.semantics.exactlyOnceForm == nil else {
            throw EventStreamingError(
                .unsupported,
                "Subscription '\(definition.id)' has its events processed exactly once, which only handlers of the service "
                    + "itself can do."
            )
        }
        guard let types = request.eventTypes else { return }
        guard !definition.mode.sharesPosition else {
            throw EventStreamingError(
                .unsupported,
                "The consumers of subscription '\(definition.id)' share a position, so none can choose event types; filter in "
                    + "the subscription."
            )
        }
        guard definition.mode != .readReceipt else {
            throw EventStreamingError(
                .unsupported,
                "In subscription '\(definition.id)' everything that a consumer finishes counts as shown to its user, so what "
                    + "it passes over would be unread; filter in the subscription."
            )
        }
        guard !types.isEmpty else {
            throw EventStreamingError(.invalidArgument, "No event types would pass the filter; leave it out for all.")
        }
    }

    /// Whether the service accepts work.
    public var health: EventDeliveryHealth {
        get async {
            switch engine.lifecycle.phase {
            case .created, .running: EventDeliveryHealth(.available)
            case .draining: EventDeliveryHealth(.ended, reason: "The service is shutting down.")
            case .stopped: EventDeliveryHealth(.ended, reason: "The service has shut down.")
            }
        }
    }

    /// Returns when the service shuts down. There is nothing to do in the background.
    ///
    /// - Throws: `CancellationError` when the task was cancelled.
    @concurrent
    public func run() async throws {
        let stop = Signal()
        await withGracefulShutdownHandler {
            while !Task.isCancelled, !engine.lifecycle.isDraining {
                let (version, changes) = (stop.version, engine.lifecycle.changes.version)
                guard version == 0, !engine.lifecycle.isDraining else { return }
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await stop.wait(since: version) }
                    group.addTask { await engine.lifecycle.changes.wait(since: changes) }
                    await group.next()
                    group.cancelAll()
                }
            }
        } onGracefulShutdown: {
            stop.notify()
        }
        try Task.checkCancellation()
    }
}

extension EventStreaming {
    /// What transports use to publish to this service and to consume from it on behalf of their peers.
    public var deliveryProvider: InProcessDeliveryProvider { InProcessDeliveryProvider(engine: engine) }
}
