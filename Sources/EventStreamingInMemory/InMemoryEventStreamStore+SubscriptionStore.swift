public import EventStreamingCore

extension InMemoryEventStreamStore: SubscriptionStore {
    /// Creates the subscription and its dead-letter stream, or changes an existing one to this definition.
    ///
    /// - Throws: besides what the protocol says, `streamConflict` when there is an ephemeral stream with the name of the
    ///   dead-letter stream.
    public func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError) {
        try Validation.check(definition)
        let stream = try stream(definition.stream)
        let moment = Moment(clock)
        try subscriptions.withEntry(for: definition.id) { (entry) throws(EventStreamingError) in
            if entry != nil, entry?.stream !== stream {
                throw EventStreamingError(
                    .subscriptionConflict,
                    "Subscription '\(definition.id)' exists already and follows another stream than '\(stream.name)'."
                )
            }
            let existing = stream.change(at: moment) { state, _, _ in
                state.subscriptions[definition.id]?.definition
            }
            if let existing, existing.mode != definition.mode {
                throw EventStreamingError(
                    .subscriptionConflict,
                    "Subscription '\(definition.id)' exists already in mode \(existing.mode), not \(definition.mode)."
                )
            }
            let deadLetterStream = try ensureStream(
                StreamDefinition(name: definition.deadLetterStream, type: .persistent),
                changesExisting: false
            )
            let seed = nextSeed()
            stream.change(at: moment) { state, _, _ in
                state.setSubscription(definition, deadLetters: deadLetterStream.deadLetters, seed: seed)
            }
            entry = SubscriptionPlace(stream: stream, deadLetterStream: deadLetterStream)
        }
    }

    /// Registers a consumer and takes over from any other of the same name. What the other held counts as delivered.
    public func registerConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        kind: ConsumerKind,
        start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration {
        try change(subscription) { (state, moment, effects) throws(EventStreamingError) in
            let epoch = nextEpoch()
            let definition = try state.subscription(subscription).definition
            let position = state.offset(of: start ?? definition.start)
            try state.withSubscription(subscription, effects: &effects) { subscription, log, floor, effects in
                subscription.register(
                    consumer,
                    kind: kind,
                    epoch: epoch,
                    position: position,
                    at: moment,
                    log: log,
                    floor: &floor,
                    effects: &effects
                )
            }
            return ConsumerRegistration(subscription: subscription, consumer: consumer, epoch: epoch)
        }
    }

    /// Ends a registration. What the consumer still held is available at once, and counts as delivered; release it first
    /// where it shall not.
    public func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError) {
        try change(registration) { (subscription, log, floor, moment, effects) throws(EventStreamingError) in
            try subscription.unregister(registration, at: moment, log: log, floor: &floor, effects: &effects)
        }
    }

    /// Removes a consumer for good. Where consumers compete, what it held counts as delivered and goes to others.
    public func removeConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool {
        try change(subscription) { (state, moment, effects) throws(EventStreamingError) in
            try state.withSubscription(subscription, effects: &effects) { subscription, log, floor, effects in
                subscription.remove(consumer, at: moment, log: log, floor: &floor, effects: &effects)
            }
        }
    }

    /// A sign of life.
    public func heartbeat(
        _ registration: ConsumerRegistration,
        extendsLeases: Bool
    ) async throws(EventStreamingError) {
        try change(registration) { (subscription, _, floor, moment, _) throws(EventStreamingError) in
            try subscription.heartbeat(registration, extendsLeases: extendsLeases, at: moment, floor: &floor)
        }
    }

    /// Ends what ran out, in all streams.
    ///
    /// - Returns: Everybody who expired since the last call, in order of their epochs: also those whom other calls found
    ///   to have expired in the meantime.
    public func expireConsumers() async throws(EventStreamingError) -> [ConsumerRegistration] {
        let moment = Moment(clock)
        var expired: [ConsumerRegistration] = []
        for stream in streams.values {
            expired += stream.change(at: moment) { state, _, _ in state.takeExpired() }
        }
        return expired.sorted { $0.epoch < $1.epoch }
    }

    /// The consumers of a subscription.
    public func consumers(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerInfo] {
        try change(subscription) { (state, _, _) throws(EventStreamingError) in
            try state.subscription(subscription).consumerInfos
        }
    }

    /// The positions of a subscription. Costs a look at every lease.
    public func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress] {
        try change(subscription) { (state, _, _) throws(EventStreamingError) in
            try state.subscription(subscription).progress(head: state.log.head)
        }
    }

    // MARK: - Shared

    private func change<Result: Sendable>(
        _ id: SubscriptionID,
        _ body: (inout StreamState, Moment, inout Effects) throws(EventStreamingError) -> Result
    ) throws(EventStreamingError) -> Result {
        try place(of: id).stream.change(at: Moment(clock), body)
    }

    private func change(
        _ registration: ConsumerRegistration,
        _ body: (
            inout Subscription, EventLog, inout RetentionFloor, Moment, inout Effects
        ) throws(EventStreamingError) -> Void
    ) throws(EventStreamingError) {
        let stream = try place(of: registration).stream
        try stream.change(at: Moment(clock)) { (state, moment, effects) throws(EventStreamingError) in
            try state.withSubscription(registration.subscription, effects: &effects) {
                (subscription, log, floor, effects) throws(EventStreamingError) in
                try body(&subscription, log, &floor, moment, &effects)
            }
        }
    }
}
