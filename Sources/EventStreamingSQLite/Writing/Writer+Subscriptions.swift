import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    func subscription(_ id: SubscriptionID) throws -> SubscriptionEntry {
        guard let subscription = subscriptions[id] else { throw EventStreamingError.unknownSubscription(id) }
        return subscription
    }

    // MARK: - Time

    /// Brings a stream up to the moment of a call: ends what ran out.
    ///
    /// - Returns: The moment, never before that of an earlier call.
    @discardableResult
    func arrive(in stream: StreamEntry, at moment: Moment) throws -> Moment {
        uptime = max(uptime, moment.uptime)
        let moment = Moment(now: moment.now, uptime: uptime)
        var isLater = false
        for subscription in stream.subscriptions where subscription.state.earliestDeadline <= uptime {
            isLater = true
            var effects = SubscriptionEffects()
            subscription.state.expire(at: moment, floor: &stream.floor, effects: &effects)
            subscription.isChanged = true
            if !effects.expired.isEmpty || effects.hasNews {
                // Written down even if the call only looks: who was told to be gone must not come back.
                try begin()
            }
            try apply(effects, of: subscription, at: moment)
        }
        if isLater {
            try trimFinished(stream)
        }
        return moment
    }

    /// Those who expired since the last call of this.
    func takeExpired() -> [ConsumerRegistration] {
        defer { expired = [] }
        return expired.sorted { $0.epoch < $1.epoch }
    }

    // MARK: - Epochs

    /// The epoch of one more registration, greater than all that the file ever gave: others may use it to keep those away
    /// whose registration has ended, also after a restart.
    func nextEpoch() throws -> UInt64 {
        let name = "registration_epoch"
        let counter = try statement(.counter)
        counter.bind(1, name)
        defer { counter.reset() }
        let epoch = try counter.step() ? counter.int(0) + 1 : 1
        try begin()
        let put = try statement(.putCounter)
        put.bind(1, name)
        put.bind(2, epoch)
        try put.run()
        return UInt64(clamping: epoch)
    }

    /// Where the position of a consumer begins; without meaning where it needs none.
    func position(of consumer: ConsumerID, in subscription: SubscriptionEntry, start: StartPosition?) throws -> Int64 {
        guard subscription.state.needsPosition(for: consumer) else { return subscription.stream.first }
        return try offset(of: start ?? subscription.state.definition.start, in: subscription.stream)
    }

    // MARK: - Changing

    /// Changes a subscription as it is at `moment`, and sees to what this means for others. `body` throws an
    /// `EventStreamingError` before it changes anything.
    func change<Result>(
        _ subscription: SubscriptionEntry,
        at moment: Moment,
        _ body: (inout SubscriptionState, inout RetentionFloor, Moment, inout SubscriptionEffects) throws -> Result
    ) throws -> Result {
        let stream = subscription.stream
        let moment = try arrive(in: stream, at: moment)
        var effects = SubscriptionEffects()
        let result = try body(&subscription.state, &stream.floor, moment, &effects)
        subscription.isChanged = true
        try apply(effects, of: subscription, at: moment)
        try trimFinished(stream)
        return result
    }

    private func apply(
        _ effects: SubscriptionEffects,
        of subscription: SubscriptionEntry,
        at moment: Moment
    ) throws {
        if effects.hasNews {
            changedStreams.insert(subscription.stream.name)
        }
        expired += effects.expired
        if expired.count > Limits.rememberedExpirations {
            expired.removeFirst(expired.count - Limits.rememberedExpirations)
        }
        try write(effects.receipts, of: subscription, at: moment.now)
        try bury(effects.givenUp, of: subscription, at: moment)
    }
}

extension Writer {
    /// Where the subscription of a registration is. A registration can only come from a subscription, so there is no
    /// error for a missing one but that the consumer is not known.
    func subscription(of registration: ConsumerRegistration) throws -> SubscriptionEntry {
        guard let subscription = subscriptions[registration.subscription] else {
            throw EventStreamingError.unknownConsumer(registration)
        }
        return subscription
    }

    func progress(of subscription: SubscriptionEntry, at moment: Moment) throws -> [SubscriptionProgress] {
        // Counted before: what the database says must not look like a refusal.
        var counts: [ConsumerID?: Int] = [:]
        let owners: [ConsumerID?] =
            subscription.state.isShared ? [nil] : subscription.state.consumerInfos.map { Optional($0.id) }
        for owner in owners {
            counts[owner] = try countDeadLetters(of: subscription, consumer: owner)
        }
        let parked = try parkedKeys(of: subscription)
        return try subscription.state.progress(
            head: subscription.stream.head,
            at: moment,
            parkedKeys: { parked },
            deadLetters: { counts[$0] ?? 0 }
        )
    }

    /// Ends what ran out, and removes some rows of what was trimmed.
    ///
    /// - Returns: Whether there are more of those.
    func keepHouse(at moment: Moment) throws -> Bool {
        var hasMore = false
        for stream in streams.values.sorted(by: { $0.id < $1.id }) {
            try arrive(in: stream, at: moment)
            let isLeft = try removeTrimmedRows(of: stream)
            hasMore = hasMore || isLeft
        }
        return hasMore
    }
}
