public import EventStreamingCore

extension EventStreaming {
    /// The deliveries of a subscription to a consumer with a name.
    ///
    /// In the modes `SubscriptionMode.broadcast` and `SubscriptionMode.readReceipt` the name keeps the consumer's position, so
    /// that the next loop under this name goes on where this one ended; with receipts it is the user's name. In `SubscriptionMode.exclusive` mode the position is the subscription's, and
    /// the name only tells the competing consumers apart.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - consumer: The consumer's name.
    ///   - start: Where each consumer has a position, where one begins that has none yet; by default where the
    ///     subscription says.
    /// - Returns: A sequence; nothing happens before its loop begins.
    /// - Throws: `EventStreamingError` with code `unknownSubscription`, `invalidName`, `shuttingDown` or `shutDown`.
    public func subscribe(
        to subscription: String,
        as consumer: String,
        from start: StartPosition? = nil
    ) throws(EventStreamingError) -> Subscription {
        try makeSubscription(to: subscription, as: try ConsumerID(consumer), kind: .durable, start: start)
    }

    /// The deliveries of a subscription to a temporary consumer, whose name is made up and whose position goes with it. In mode
    /// `SubscriptionMode.readReceipt` so do its receipts: give users their names.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - start: Where each consumer has a position, where this one begins; by default where the subscription says.
    /// - Returns: A sequence; nothing happens before its loop begins. Every loop is a consumer of its own.
    /// - Throws: `EventStreamingError` with code `unknownSubscription`, `invalidName`, `shuttingDown` or `shutDown`.
    public func subscribe(
        to subscription: String,
        from start: StartPosition? = nil
    ) throws(EventStreamingError) -> Subscription {
        try makeSubscription(to: subscription, as: nil, kind: .temporary, start: start)
    }

    /// Calls `body` with the deliveries to a consumer that is registered before and unregistered afterwards.
    ///
    /// What is emitted after `body` began is delivered, also to a new consumer that begins at the latest event. Use one
    /// loop over the sequence. What the consumer holds when `body` ends is given back before this returns.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - consumer: The consumer's name; `nil` for a temporary one.
    ///   - start: Where each consumer has a position, where one begins that has none yet.
    ///   - body: Consumes.
    /// - Returns: What `body` returns.
    /// - Throws: As ``subscribe(to:as:from:)``, what registering throws, and what `body` throws.
    @discardableResult
    public func withSubscription<Result>(
        to subscription: String,
        as consumer: String? = nil,
        from start: StartPosition? = nil,
        _ body: (Subscription) async throws -> Result
    ) async throws -> Result {
        let plan = try plan(subscription)
        let id = try consumer.map { name throws(EventStreamingError) in try ConsumerID(name) }
        let registered = Consumer(
            id ?? ConsumerID(engine.appender.ids.next()),
            kind: id == nil ? .temporary : .durable,
            start: start,
            plan: plan,
            engine: engine
        )
        try await registered.register()
        return try await engine.with(registered, body)
    }

    private func makeSubscription(
        to subscription: String,
        as consumer: ConsumerID?,
        kind: ConsumerKind,
        start: StartPosition?
    ) throws(EventStreamingError) -> Subscription {
        let (plan, engine) = (try plan(subscription), engine)
        return Subscription {
            let id = consumer ?? ConsumerID(engine.appender.ids.next())
            return Consumer(id, kind: kind, start: start, plan: plan, engine: engine)
        }
    }

    func plan(_ subscription: String) throws(EventStreamingError) -> SubscriptionPlan {
        try engine.lifecycle.admit()
        let id = try SubscriptionID(subscription)
        guard let plan = engine.plans[id] else { throw .unknownSubscription(id) }
        return plan
    }
}

extension Engine {
    /// Calls `body` with the deliveries to a consumer that is registered, and gives back what it holds afterwards.
    func with<Result>(
        _ registered: Consumer,
        _ body: (Subscription) async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body(Subscription { registered })
            await registered.close(countsAttempt: false)
            await releaseAbandoned()
            return result
        } catch {
            await registered.close(countsAttempt: !Task.isCancelled)
            await releaseAbandoned()
            throw error
        }
    }
}
