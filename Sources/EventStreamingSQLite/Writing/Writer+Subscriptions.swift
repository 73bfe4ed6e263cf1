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

    // MARK: - Dead letters

    /// Puts events into the dead-letter stream. They are taken even when it is full, unless it makes room by dropping
    /// the oldest.
    private func bury(_ givenUp: [GivenUp], of subscription: SubscriptionEntry, at moment: Moment) throws {
        guard !givenUp.isEmpty else { return }
        var letters: [DeadLetter] = []
        for event in givenUp {
            let offsets = event.offset..<event.offset + 1
            guard let stored = try event.redriven ?? keptEvents(in: offsets, of: subscription.stream).first else {
                continue
            }
            letters.append(event.deadLetter(stored, of: subscription.state.definition))
        }
        guard !letters.isEmpty else { return }
        let stream = subscription.deadLetterStream
        let first = stream.head
        guard try insert(letters.records(at: moment.now), into: stream, at: moment.now) else {
            throw Damage(what: "an index")
        }
        let add = try statement(.addDeadLetter)
        for (index, letter) in letters.enumerated() {
            add.bind(1, stream.id)
            add.bind(2, first + Int64(index))
            add.bind(3, letter.consumer?.rawValue)
            try add.run()
        }
        changedStreams.insert(stream.name)
        try dropSurplus(of: stream)
        try trimFinished(stream)
    }

    /// What has happened already must not look like a refusal of what was asked for.
    func keptEvents(in offsets: Range<Int64>, of stream: StreamEntry) throws -> [StoredEvent] {
        guard stream.first <= offsets.lowerBound else { return [] }
        do {
            return try events(in: offsets, of: stream)
        } catch let error as EventStreamingError {
            throw Damage(what: error.message)
        }
    }

    /// The open dead letters with numbers in a range, in order.
    func openDeadLetters(
        of subscription: SubscriptionEntry,
        in numbers: Range<Int64>,
        limit: Int
    ) throws -> [DeadLetter] {
        let stream = subscription.deadLetterStream
        let query = try statement(.openDeadLetters)
        query.bind(1, stream.id)
        query.bind(2, numbers.lowerBound)
        query.bind(3, numbers.upperBound)
        query.bind(4, Int64(limit))
        var open: [Int64] = []
        do {
            defer { query.reset() }
            while try query.step() {
                open.append(query.int(0))
            }
        }
        return try open.compactMap { number in
            try events(in: number..<number + 1, of: stream).first.flatMap { DeadLetter(record: $0) }
        }
    }

    func countDeadLetters(of subscription: SubscriptionEntry, consumer: ConsumerID?) throws -> Int {
        let query = try statement(.countDeadLetters)
        query.bind(1, subscription.deadLetterStream.id)
        query.bind(2, consumer?.rawValue)
        defer { query.reset() }
        return try query.step() ? Int(query.int(0)) : 0
    }

    func redrive(_ numbers: Range<Int64>, of subscription: SubscriptionEntry, at moment: Moment) throws -> Int {
        // Before anything changes: what cannot be read is a refusal.
        let letters = try openDeadLetters(of: subscription, in: numbers, limit: .max)
        return try change(subscription, at: moment) { state, _, moment, effects in
            var count = 0
            let remove = try statement(.removeDeadLetter)
            for letter in letters where state.canRedrive(letter) {
                try begin()
                remove.bind(1, subscription.deadLetterStream.id)
                remove.bind(2, letter.number.rawValue)
                try remove.run()
                state.redrive(letter, at: moment, effects: &effects)
                _ = try forgetProcessed([letter.event.id], by: state.definition.processor(of: letter.consumer))
                count += 1
            }
            return count
        }
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

    func progress(of subscription: SubscriptionEntry) throws -> [SubscriptionProgress] {
        // Counted before: what the database says must not look like a refusal.
        var counts: [ConsumerID?: Int] = [:]
        let owners: [ConsumerID?] =
            subscription.state.isShared ? [nil] : subscription.state.consumerInfos.map { Optional($0.id) }
        for owner in owners {
            counts[owner] = try countDeadLetters(of: subscription, consumer: owner)
        }
        return try subscription.state.progress(head: subscription.stream.head) { counts[$0] ?? 0 }
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
