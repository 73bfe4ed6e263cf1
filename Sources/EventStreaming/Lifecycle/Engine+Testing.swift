package import EventStreamingCore

// What `EventStreamingTesting` has to know about a service that users need not.

/// A moment in the life of an engine, to wait for the next one.
package struct ActivityMark: Sendable, Equatable {
    let activity: UInt64
    let abandonments: UInt64
}

extension EventStreaming {
    /// The time as the service sees it.
    package var clock: any EventStreamingClock { engine.clock }

    /// Whether handlers and housekeeping are running.
    package var isRunning: Bool {
        (Lifecycle.Phase.running...Lifecycle.Phase.draining).contains(engine.lifecycle.phase)
    }

    /// Whether the service has shut down.
    package var hasStopped: Bool { engine.lifecycle.phase == .stopped }

    /// How many tasks of the background work sleep while there is nothing to do.
    package var backgroundSleepers: Int {
        1 + (RetentionService(engine: engine).hasWork ? 1 : 0) + (UnreadService(engine: engine).hasWork ? 1 : 0)
    }

    // MARK: - Subscriptions

    /// What was declared, in order of the names.
    package var subscriptionDefinitions: [SubscriptionDefinition] {
        engine.plans.values.map(\.definition).sorted { $0.id < $1.id }
    }

    /// What was declared under this name.
    ///
    /// - Throws: `EventStreamingError` with code `unknownSubscription` or `invalidName`.
    package func subscriptionDefinition(_ subscription: String) throws(EventStreamingError) -> SubscriptionDefinition {
        let id = try SubscriptionID(subscription)
        guard let plan = engine.plans[id] else { throw .unknownSubscription(id) }
        return plan.definition
    }

    /// Whether the subscription has a handler, which consumes while the service runs.
    package func hasHandler(_ subscription: SubscriptionID) -> Bool { engine.plans[subscription]?.hasHandler == true }

    /// The consumers registered through this service, each with its subscription.
    package var localConsumers: [(subscription: SubscriptionID, consumer: ConsumerID)] {
        engine.activeConsumers.map { ($0.plan.definition.id, $0.id) }
    }

    // MARK: - Activity

    /// The present moment. Take it, look around, and then wait for the next one: nothing in between is missed.
    package var activityMark: ActivityMark {
        ActivityMark(activity: engine.activity.version, abandonments: engine.abandonments.version)
    }

    /// Returns as soon as something was settled, released, abandoned or found to be finished since `mark`, or the task
    /// is cancelled.
    package func waitForActivity(since mark: ActivityMark) async {
        let engine = engine
        guard activityMark == mark else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await engine.activity.wait(since: mark.activity) }
            group.addTask { await engine.abandonments.wait(since: mark.abandonments) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Gives back what consumers held whose loops are gone, as the housekeeping does.
    package func releaseAbandoned() async { await engine.releaseAbandoned() }
}

extension MessageContext {
    /// Does `body` in the context in which a command is handled.
    package static func withCommand<Result>(
        _ id: MessageID,
        in workflow: WorkflowID,
        causedBy event: MessageID?,
        _ body: (_ causationID: MessageID) async throws -> Result
    ) async throws -> Result {
        let context = MessageContext(correlationID: workflow, causationID: event ?? id, isEvent: event != nil)
        return try await $current.withValue(context) { try await body(context.causationID) }
    }
}
