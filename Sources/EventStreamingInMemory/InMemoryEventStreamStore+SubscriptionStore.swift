public import EventStreamingCore
import EventStreamingStoreKit

extension InMemoryEventStreamStore: SubscriptionStore {
    /// Creates the subscription and its dead-letter stream, or changes an existing one to this definition.
    ///
    /// - Throws: besides what the protocol says, `streamConflict` when there is an ephemeral stream with the name of the
    ///   dead-letter stream.
    public func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError) {
        try Validation.check(definition)
        try Validation.checkIsNotTransactional(definition)
        let stream = try stream(definition.stream)
        try Validation.check(definition, on: stream.type)
        let moment = Moment(clock)
        try subscriptions.withEntry(for: definition.id) { (entry) throws(EventStreamingError) in
            if let handle = entry {
                guard handle.stream === stream else {
                    throw Self.conflict(definition.id, "follows stream '\(handle.stream.name)', not '\(stream.name)'")
                }
                try handle.change(at: moment) { (subscription, _, _, _, _) throws(EventStreamingError) in
                    let present = subscription.state.definition
                    if let conflict = definition.conflict(withMode: present.mode, partitions: present.partitions) {
                        throw Self.conflict(definition.id, conflict)
                    }
                    subscription.state.update(definition)
                }
                return
            }
            // First, so that an event that is not there leaves no dead-letter stream behind.
            let position = try stream.change(at: moment) { (state, _, _) throws(EventStreamingError) in
                definition.mode.sharesPosition ? try state.offset(of: definition.start) : 0
            }
            let deadLetterStream = try ensureStream(
                StreamDefinition(name: definition.deadLetterStream, type: .persistent),
                changesExisting: false
            )
            let seed = nextSeed()
            let place = stream.change(at: moment) { state, _, _ in
                state.addSubscription(
                    definition,
                    at: position,
                    deadLetters: deadLetterStream.deadLetters,
                    seed: seed
                )
            }
            entry = SubscriptionHandle(
                stream: stream,
                place: place,
                deadLetterStream: deadLetterStream,
                mode: definition.mode
            )
        }
    }

    private static func conflict(_ id: SubscriptionID, _ problem: String) -> EventStreamingError {
        EventStreamingError(.subscriptionConflict, "Subscription '\(id)' exists already and \(problem).")
    }

    /// Registers a consumer and takes over from any other of the same name. What the other held counts as delivered.
    public func registerConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        kind: ConsumerKind,
        start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration {
        let handle = try handle(of: subscription)
        return try handle.stream.change(at: Moment(clock)) { (state, moment, effects) throws(EventStreamingError) in
            let position = try state.position(of: consumer, at: handle.place, start: start)
            // Under the lock, so that a later registration has the greater epoch.
            let epoch = nextEpoch()
            state.withSubscription(handle.place, at: moment, effects: &effects) { subscription, _, floor, effects in
                subscription.state.register(
                    consumer,
                    kind: kind,
                    epoch: epoch,
                    position: position,
                    at: moment,
                    floor: &floor,
                    effects: &effects
                )
            }
            return ConsumerRegistration(subscription: subscription, consumer: consumer, epoch: epoch)
        }
    }

    /// Gives a durable consumer its position without connecting it. Takes over from nobody.
    public func createConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        start: StartPosition?
    ) async throws(EventStreamingError) {
        let handle = try handle(of: subscription)
        try handle.stream.change(at: Moment(clock)) { (state, moment, effects) throws(EventStreamingError) in
            let position = try state.position(of: consumer, at: handle.place, start: start)
            let epoch = nextEpoch()
            state.withSubscription(handle.place, at: moment, effects: &effects) { subscription, _, floor, effects in
                subscription.state.create(
                    consumer,
                    epoch: epoch,
                    position: position,
                    at: moment,
                    floor: &floor,
                    effects: &effects
                )
            }
        }
    }

    /// Ends a registration. What the consumer still held is available at once, and counts as delivered; release it first
    /// where it shall not.
    public func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError) {
        try handle(of: registration).change(at: Moment(clock)) {
            (subscription, log, floor, moment, effects) throws(EventStreamingError) in
            try subscription.state.unregister(registration, at: moment, floor: &floor, effects: &effects)
        }
    }

    /// Removes a consumer for good. Where consumers compete, what it held counts as delivered and goes to others.
    public func removeConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool {
        try handle(of: subscription).change(at: Moment(clock)) { subscription, log, floor, moment, effects in
            subscription.state.remove(consumer, at: moment, floor: &floor, effects: &effects)
        }
    }

    /// A sign of life.
    public func heartbeat(
        _ registration: ConsumerRegistration,
        extending leases: LeaseExtension
    ) async throws(EventStreamingError) {
        try handle(of: registration).change(at: Moment(clock)) {
            (subscription, _, floor, moment, _) throws(EventStreamingError) in
            try subscription.state.heartbeat(registration, extending: leases, at: moment, floor: &floor)
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
        try handle(of: subscription).change(at: Moment(clock)) { subscription, _, _, _, _ in
            subscription.state.consumerInfos
        }
    }

    /// The partitions of a consumer group. Costs a look at every event that is leased.
    public func partitions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [PartitionInfo] {
        try handle(of: subscription).change(at: Moment(clock)) { subscription, _, _, _, _ in
            subscription.state.partitionInfos
        }
    }

    /// Shares out the events of a consumer group into another number of partitions.
    public func repartition(
        _ subscription: SubscriptionID,
        into count: Int
    ) async throws(EventStreamingError) {
        try handle(of: subscription).change(at: Moment(clock)) {
            (subscription, _, floor, moment, effects) throws(EventStreamingError) in
            try subscription.state.repartition(into: count, at: moment, floor: &floor, effects: &effects)
        }
    }

    /// The positions of a subscription. Costs a look at every lease.
    public func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress] {
        try handle(of: subscription).change(at: Moment(clock)) {
            (subscription, log, _, moment, _) throws(EventStreamingError) in
            let deadLetters = subscription.deadLetters
            return try subscription.state.progress(
                head: log.head,
                at: moment,
                parkedKeys: { deadLetters.parkedKeys },
                deadLetters: { deadLetters.openCount(of: $0) }
            )
        }
    }
}
