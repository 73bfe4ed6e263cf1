public import EventStreamingCore
import EventStreamingStoreKit

extension SQLiteEventStreamStore: SubscriptionStore {
    /// Creates the subscription and its dead-letter stream, or changes an existing one to this definition.
    ///
    /// - Throws: besides what the protocol says, `streamConflict` when there is an ephemeral stream with the name of the
    ///   dead-letter stream.
    public func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError) {
        try Validation.check(definition)
        let moment = Moment(clock)
        try await change(durable: true) { try $0.ensureSubscription(definition, at: moment) }
    }

    /// Gives a durable consumer its position without connecting it. Takes over from nobody.
    public func createConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        start: StartPosition?
    ) async throws(EventStreamingError) {
        let moment = Moment(clock)
        try await change(durable: true) { writer in
            let subscription = try writer.subscription(subscription)
            try writer.arrive(in: subscription.stream, at: moment)
            let position = try writer.position(of: consumer, in: subscription, start: start)
            let epoch = try writer.nextEpoch()
            try writer.change(subscription, at: moment) { state, floor, moment, effects in
                state.create(
                    consumer,
                    epoch: epoch,
                    position: position,
                    at: moment,
                    floor: &floor,
                    effects: &effects
                )
            }
            try writer.begin()
        }
    }

    /// Registers a consumer and takes over from any other of the same name. What the other held counts as delivered.
    public func registerConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        kind: ConsumerKind,
        start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration {
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            let entry = try writer.subscription(subscription)
            try writer.arrive(in: entry.stream, at: moment)
            let position = try writer.position(of: consumer, in: entry, start: start)
            let epoch = try writer.nextEpoch()
            try writer.change(entry, at: moment) { state, floor, moment, effects in
                state.register(
                    consumer,
                    kind: kind,
                    epoch: epoch,
                    position: position,
                    at: moment,
                    floor: &floor,
                    effects: &effects
                )
            }
            try writer.begin()
            return ConsumerRegistration(subscription: subscription, consumer: consumer, epoch: epoch)
        }
    }

    /// Ends a registration. What the consumer still held is available at once, and counts as delivered; release it first
    /// where it shall not.
    public func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError) {
        let moment = Moment(clock)
        try await change(durable: true) { writer in
            try writer.change(writer.subscription(of: registration), at: moment) { state, floor, moment, effects in
                try state.unregister(registration, at: moment, floor: &floor, effects: &effects)
            }
            try writer.begin()
        }
    }

    /// Removes a consumer for good. Where consumers compete, what it held counts as delivered and goes to others.
    public func removeConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool {
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            let isKnown = try writer.change(writer.subscription(subscription), at: moment) {
                state, floor, moment, effects in
                state.remove(consumer, at: moment, floor: &floor, effects: &effects)
            }
            try writer.begin()
            return isKnown
        }
    }

    /// A sign of life. Written down with the next change, as it means nothing to another process.
    public func heartbeat(
        _ registration: ConsumerRegistration,
        extending leases: LeaseExtension
    ) async throws(EventStreamingError) {
        let moment = Moment(clock)
        try await change(durable: false) { writer in
            try writer.change(writer.subscription(of: registration), at: moment) { state, floor, moment, _ in
                try state.heartbeat(registration, extending: leases, at: moment, floor: &floor)
            }
        }
    }

    /// Ends what ran out, in all streams, and removes rows of events that were trimmed.
    ///
    /// - Returns: Everybody who expired since the last call, in order of their epochs: also those whom other calls found
    ///   to have expired in the meantime.
    public func expireConsumers() async throws(EventStreamingError) -> [ConsumerRegistration] {
        let moment = Moment(clock)
        var expired: [ConsumerRegistration] = []
        var hasMore = true
        while hasMore {
            let result = try await change(durable: false) { writer in
                let hasMore = try writer.keepHouse(at: moment)
                // At the end, so that they are told later if something fails before.
                return (hasMore ? [] : writer.takeExpired(), hasMore)
            }
            expired = result.0
            hasMore = result.1
        }
        return expired
    }

    /// The consumers of a subscription.
    public func consumers(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerInfo] {
        let moment = Moment(clock)
        return try await change(durable: false) { writer in
            let entry = try writer.subscription(subscription)
            try writer.arrive(in: entry.stream, at: moment)
            return entry.state.consumerInfos
        }
    }

    /// The partitions of a consumer group. Costs a look at every event that is leased.
    public func partitions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [PartitionInfo] {
        let moment = Moment(clock)
        return try await change(durable: false) { writer in
            let entry = try writer.subscription(subscription)
            try writer.arrive(in: entry.stream, at: moment)
            return entry.state.partitionInfos
        }
    }

    /// Shares out the events of a consumer group into another number of partitions.
    public func repartition(
        _ subscription: SubscriptionID,
        into count: Int
    ) async throws(EventStreamingError) {
        let moment = Moment(clock)
        try await change(durable: true) { writer in
            try writer.change(writer.subscription(subscription), at: moment) { state, floor, moment, effects in
                try state.repartition(into: count, at: moment, floor: &floor, effects: &effects)
            }
            try writer.begin()
        }
    }

    /// The positions of a subscription. Costs a look at every lease.
    public func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress] {
        let moment = Moment(clock)
        return try await change(durable: false) { writer in
            let entry = try writer.subscription(subscription)
            let moment = try writer.arrive(in: entry.stream, at: moment)
            return try writer.progress(of: entry, at: moment)
        }
    }
}
