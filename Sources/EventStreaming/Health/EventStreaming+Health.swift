public import EventStreamingCore

extension EventStreaming {
    /// How well all subscriptions of this service do.
    ///
    /// Asks the store, so what other processes do counts as well, and any process that declares the subscriptions gets the
    /// same answer. That nothing moves can only be seen by looking twice: a service that runs looks every few seconds by
    /// itself; otherwise each call is a look. Never throws: a store that cannot be reached is what the report tells. Costs
    /// three or four calls of the store for each subscription; none of them reads more than one event.
    public func health() async -> HealthReport {
        var subscriptions: [SubscriptionHealth] = []
        for plan in engine.plans.values {
            if let observation = await engine.health.observe(plan.definition, after: engine.preparation) {
                subscriptions.append(observation.health)
            }
        }
        return HealthReport(time: engine.clock.now, subscriptions)
    }

    /// How well one subscription does, as ``health()``.
    ///
    /// - Throws: `EventStreamingError` with code `unknownSubscription` or `invalidName`.
    public func health(of subscription: String) async throws(EventStreamingError) -> SubscriptionHealth {
        let id = try known(subscription)
        guard let plan = engine.plans[id],
            let observation = await engine.health.observe(plan.definition, after: engine.preparation)
        else { throw .unknownSubscription(id) }
        return observation.health
    }
}
