#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore: SubscriptionStore {
    /// Creates the subscription and its dead-letter stream, or changes an existing one to this definition.
    ///
    /// - Throws: besides what the protocol says, `streamConflict` when there is an ephemeral stream with the name of the
    ///   dead-letter stream.
    public func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError) {
        try Validation.check(definition)
        let (streams, arrival) = (directory, arrival)
        try await withSession { (session) throws(EventStreamingError) in
            // What ran out until now did so by the definition until now.
            try arrival.run(in: streams.entry(definition.stream, session), session)
            try session.transaction(orThrow: \.eventStreamingError) { (session) throws(EventStreamingError) in
                try SubscriptionCreation(definition: definition, streams: streams).run(session)
            }
        }
    }

    /// Registers a consumer and takes over from any other of the same name. What the other held counts as delivered.
    public func registerConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        kind: ConsumerKind,
        start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration {
        try await change(arrived(at: gate(of: subscription))) { (state, work) throws(EventStreamingError) in
            let isNew = state.needsPosition(for: consumer)
            let position = try isNew ? work.offset(of: start ?? state.definition.start) : 0
            work.changesPositions = true
            let epoch = try work.nextEpoch()
            state.register(
                consumer,
                kind: kind,
                epoch: epoch,
                position: position,
                at: work.moment,
                floor: &work.floor,
                effects: &work.effects
            )
            return ConsumerRegistration(subscription: subscription, consumer: consumer, epoch: epoch)
        }
    }

    /// Gives a durable consumer its position without connecting it. Takes over from nobody.
    public func createConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        start: StartPosition?
    ) async throws(EventStreamingError) {
        try await change(arrived(at: gate(of: subscription))) { (state, work) throws(EventStreamingError) in
            let isNew = state.needsPosition(for: consumer)
            let position = try isNew ? work.offset(of: start ?? state.definition.start) : 0
            work.changesPositions = true
            let epoch = try work.nextEpoch()
            state.create(
                consumer,
                epoch: epoch,
                position: position,
                at: work.moment,
                floor: &work.floor,
                effects: &work.effects
            )
        }
    }

    /// Ends a registration. What the consumer still held is available at once, and counts as delivered; release it first
    /// where it shall not.
    public func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError) {
        try await change(gate(of: registration)) { (state, work) throws(EventStreamingError) in
            try state.unregister(registration, at: work.moment, floor: &work.floor, effects: &work.effects)
            work.changesPositions = true
        }
    }

    /// Removes a consumer for good. Where consumers compete, what it held counts as delivered and goes to others.
    public func removeConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool {
        try await change(gate(of: subscription)) { (state, work) throws(EventStreamingError) in
            let isRemoved = state.remove(consumer, at: work.moment, floor: &work.floor, effects: &work.effects)
            work.changesPositions = work.changesPositions || isRemoved
            return isRemoved
        }
    }

    /// A sign of life.
    public func heartbeat(
        _ registration: ConsumerRegistration,
        extending leases: LeaseExtension
    ) async throws(EventStreamingError) {
        try await change(gate(of: registration), isDurable: false) { (state, work) throws(EventStreamingError) in
            try state.heartbeat(
                registration,
                extending: leases,
                at: work.moment,
                floor: &work.floor
            )
        }
    }

    /// Ends what ran out, in all subscriptions.
    ///
    /// - Returns: Everybody whom this instance found to have expired since the last call, in order of their epochs: also
    ///   those whom other calls found in the meantime.
    public func expireConsumers() async throws(EventStreamingError) -> [ConsumerRegistration] {
        let arrival = arrival
        let names = try await withSession { (session) throws(EventStreamingError) in
            try arrival.dueSubscriptions(of: nil, session)
        }
        for name in names {
            // Every operation ends what ran out before it does anything else.
            try await change(gate(of: name)) { _, _ in }
        }
        try await giveBackSpace()
        return expired.take().sorted { $0.epoch < $1.epoch }
    }

    /// The consumers of a subscription.
    public func consumers(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerInfo] {
        try await change(gate(of: subscription)) { state, _ in state.consumerInfos }
    }

    /// The partitions of a consumer group. Costs a look at every event that is leased.
    public func partitions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [PartitionInfo] {
        try await change(gate(of: subscription)) { state, _ in state.partitionInfos }
    }

    /// Shares out the events of a consumer group into another number of partitions.
    public func repartition(
        _ subscription: SubscriptionID,
        into count: Int
    ) async throws(EventStreamingError) {
        try await change(gate(of: subscription)) { (state, work) throws(EventStreamingError) in
            try state.repartition(into: count, at: work.moment, floor: &work.floor, effects: &work.effects)
        }
    }

    /// The positions of a subscription. Costs a look at every lease.
    public func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress] {
        try await change(gate(of: subscription)) { (state, work) throws(EventStreamingError) in
            let counts = try work.openLetterCounts()
            return try state.progress(
                head: work.log.head,
                at: work.moment,
                parkedKeys: { () throws(EventStreamingError) in
                    var keys = try work.parkedKeys()
                    keys.add(work.effects.givenUp)
                    return keys
                },
                deadLetters: { counts[$0, default: 0] }
            )
        }
    }
}
#endif
