import EventStreamingCore

/// A subscription with its consumers and positions. Part of its stream's state, under the same lock.
struct Subscription: Sendable {
    struct Consumer: Sendable {
        var membership: Membership
        /// The consumer's own position; not used where all share one.
        var cursor: Cursor
    }

    private(set) var definition: SubscriptionDefinition
    let deadLetters: DeadLetterBox
    private var desk: Desk
    /// The position of competing consumers; not used where each has its own.
    private var shared: Cursor
    private var consumers: [ConsumerID: Consumer] = [:]
    /// At or before the moment when the first consumer or lease ends, so that mostly nobody has to look.
    private(set) var earliestDeadline = Duration.never

    private var isShared: Bool { definition.mode == .exclusive }

    init(
        _ definition: SubscriptionDefinition,
        at position: Int64,
        deadLetters: DeadLetterBox,
        seed: UInt64,
        floor: inout RetentionFloor
    ) {
        self.definition = definition
        self.deadLetters = deadLetters
        desk = Desk(definition, seed: seed)
        shared = Cursor(at: position)
        if isShared {
            floor.add(position)
        }
    }

    mutating func update(_ definition: SubscriptionDefinition) {
        self.definition = definition
        desk.update(definition)
    }

    // MARK: - Positions

    /// Every position, with the consumer it belongs to.
    var positions: [(consumer: ConsumerID?, cursor: Cursor)] {
        if isShared {
            return [(nil, shared)]
        }
        return consumers.sorted { $0.key < $1.key }.map { ($0.key, $0.value.cursor) }
    }

    /// Adds all positions to a floor that counts anew.
    func count(in floor: inout RetentionFloor) {
        if isShared {
            floor.add(shared.position)
        } else {
            for consumer in consumers.values {
                floor.add(consumer.cursor.position)
            }
        }
    }

    /// Calls `body` with the position a consumer reads from, and notes where the position goes.
    private mutating func withCursor<Result, Failure: Error>(
        at index: Dictionary<ConsumerID, Consumer>.Index,
        floor: inout RetentionFloor,
        _ body: (inout Cursor, inout Membership, inout Desk) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if isShared {
            let old = shared.position
            defer { floor.move(from: old, to: shared.position) }
            return try body(&shared, &consumers.values[index].membership, &desk)
        }
        return try Self.withOwnCursor(of: &consumers.values[index], &desk, &floor, body)
    }

    private static func withOwnCursor<Result, Failure: Error>(
        of consumer: inout Consumer,
        _ desk: inout Desk,
        _ floor: inout RetentionFloor,
        _ body: (inout Cursor, inout Membership, inout Desk) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let old = consumer.cursor.position
        defer { floor.move(from: old, to: consumer.cursor.position) }
        return try body(&consumer.cursor, &consumer.membership, &desk)
    }

    /// Gives up everything before `offset` at all positions.
    ///
    /// - Returns: The offsets that some position had not finished.
    mutating func lap(before offset: Int64, floor: inout RetentionFloor) -> OffsetRanges {
        if isShared {
            let old = shared.position
            let unfinished = shared.lap(before: offset)
            floor.move(from: old, to: shared.position)
            return unfinished
        }
        var unfinished = OffsetRanges()
        for index in consumers.indices {
            let old = consumers.values[index].cursor.position
            unfinished.formUnion(consumers.values[index].cursor.lap(before: offset))
            floor.move(from: old, to: consumers.values[index].cursor.position)
        }
        return unfinished
    }

    // MARK: - Consumers

    /// The place of a registration's consumer.
    private func index(
        of registration: ConsumerRegistration
    ) throws(EventStreamingError) -> Dictionary<ConsumerID, Consumer>.Index {
        guard let index = consumers.index(forKey: registration.consumer) else {
            throw .unknownConsumer(registration)
        }
        let membership = consumers.values[index].membership
        guard registration.epoch >= membership.epoch else {
            throw .consumerReplaced(registration)
        }
        guard registration.epoch == membership.epoch, membership.isConnected else {
            throw .unknownConsumer(registration)
        }
        return index
    }

    private mutating func expect(_ deadline: Duration) {
        earliestDeadline = min(earliestDeadline, deadline)
    }

    /// - Parameter position: Where the position of a consumer begins that has none.
    mutating func register(
        _ id: ConsumerID,
        kind: ConsumerKind,
        epoch: UInt64,
        position: Int64,
        at moment: Moment,
        log: EventLog,
        floor: inout RetentionFloor,
        effects: inout Effects
    ) {
        let timeout = definition.consumerTimeout
        if let index = consumers.index(forKey: id) {
            endLeases(at: index, as: .lost("the consumer was replaced"), moment, log, &floor, &effects)
            consumers.values[index].membership.renew(kind: kind, epoch: epoch, at: moment, timeout: timeout)
        } else {
            let membership = Membership(kind: kind, epoch: epoch, at: moment, timeout: timeout)
            consumers[id] = Consumer(membership: membership, cursor: Cursor(at: position))
            if !isShared {
                floor.add(position)
            }
        }
        expect(moment.uptime + timeout)
    }

    mutating func unregister(
        _ registration: ConsumerRegistration,
        at moment: Moment,
        log: EventLog,
        floor: inout RetentionFloor,
        effects: inout Effects
    ) throws(EventStreamingError) {
        let index = try index(of: registration)
        endLeases(at: index, as: .lost("the consumer left"), moment, log, &floor, &effects)
        leave(registration.consumer, at: index, floor: &floor)
    }

    /// Disconnects a consumer whose leases were ended.
    private mutating func leave(
        _ id: ConsumerID,
        at index: Dictionary<ConsumerID, Consumer>.Index,
        floor: inout RetentionFloor
    ) {
        switch consumers.values[index].membership.kind {
        case .durable: consumers.values[index].membership.isConnected = false
        case .temporary: forget(id, floor: &floor)
        }
    }

    private mutating func forget(_ id: ConsumerID, floor: inout RetentionFloor) {
        guard let consumer = consumers.removeValue(forKey: id) else { return }
        if !isShared {
            floor.remove(consumer.cursor.position)
        }
    }

    /// - Returns: Whether there was such a consumer.
    mutating func remove(
        _ id: ConsumerID,
        at moment: Moment,
        log: EventLog,
        floor: inout RetentionFloor,
        effects: inout Effects
    ) -> Bool {
        guard let index = consumers.index(forKey: id) else { return false }
        if isShared {
            endLeases(at: index, as: .lost("the consumer was removed"), moment, log, &floor, &effects)
        }
        forget(id, floor: &floor)
        return true
    }

    mutating func heartbeat(
        _ registration: ConsumerRegistration,
        extendsLeases: Bool,
        at moment: Moment,
        floor: inout RetentionFloor
    ) throws(EventStreamingError) {
        let index = try index(of: registration)
        withCursor(at: index, floor: &floor) { cursor, membership, desk in
            membership.showLife(at: moment, timeout: desk.consumerTimeout)
            if extendsLeases {
                let expiry = moment.uptime + desk.visibilityTimeout
                cursor.extend(membership.leaseKeys, of: membership.epoch, until: expiry)
            }
        }
    }

    // MARK: - Delivering

    /// - Returns: `nil` when there is more to look at and the call should be repeated.
    mutating func dequeue(
        as registration: ConsumerRegistration,
        limit: Int,
        at moment: Moment,
        log: EventLog,
        floor: inout RetentionFloor
    ) throws(EventStreamingError) -> DequeueResult? {
        let index = try index(of: registration)
        let scan = withCursor(at: index, floor: &floor) { cursor, membership, desk in
            membership.showLife(at: moment, timeout: desk.consumerTimeout)
            let scan = Self.lease(from: &cursor, limit: limit, to: registration.epoch, moment, log, &desk)
            if case .found(let portion) = scan, let expiry = portion.expiry {
                membership.hold(portion.key, until: expiry, in: cursor)
            }
            return scan
        }
        switch scan {
        case .found(let portion):
            if let expiry = portion.expiry {
                expect(expiry)
            }
            return .lease(
                Lease(
                    holder: registration,
                    epoch: portion.key,
                    offsets: StreamOffset(portion.span.lowerBound)..<StreamOffset(portion.span.upperBound),
                    events: portion.events,
                    attempt: portion.attempt,
                    isRedriven: portion.isRedriven,
                    needsSettlement: portion.expiry != nil
                )
            )
        case .unfinished:
            return nil
        case .end:
            return .empty(until: nextChange(for: registration.consumer, at: index))
        }
    }

    private static func lease(
        from cursor: inout Cursor,
        limit: Int,
        to holder: UInt64,
        _ moment: Moment,
        _ log: EventLog,
        _ desk: inout Desk
    ) -> Scan {
        let limit = min(limit, Limits.eventsPerLease)
        let uptime = moment.uptime
        if cursor.waiting > 0 {
            if let portion = cursor.leaseWaiting(limit: limit, at: uptime, to: holder, from: log, desk: &desk) {
                return .found(portion)
            }
            guard cursor.waiting < Limits.waitingRanges else { return .end }
        }
        return cursor.leaseNew(limit: limit, at: uptime, to: holder, from: log, desk: &desk)
    }

    /// When a consumer that got nothing may get something without a change of the stream: something falls due, or
    /// another consumer or its lease ends.
    private mutating func nextChange(
        for id: ConsumerID,
        at index: Dictionary<ConsumerID, Consumer>.Index
    ) -> Duration? {
        guard isShared else {
            return consumers.values[index].cursor.nextDue()
        }
        var next = shared.nextDue()
        for other in consumers.indices where other != index {
            guard let lease = consumers.values[other].membership.firstExpiring(in: shared) else { continue }
            let deadline = min(lease.rank, consumers.values[other].membership.expiresAt)
            next = min(next ?? deadline, deadline)
        }
        return next
    }

    /// - Returns: Whether anything can be delivered again at once.
    mutating func settle(
        _ settlement: Settlement,
        at moment: Moment,
        log: EventLog,
        floor: inout RetentionFloor,
        effects: inout Effects
    ) throws(EventStreamingError) {
        guard let index = consumers.index(forKey: settlement.holder.consumer) else { throw .leaseEnded(settlement) }
        let membership = consumers.values[index].membership
        guard settlement.holder.epoch >= membership.epoch else {
            throw .consumerReplaced(settlement.holder)
        }
        var givenUp: [GivenUp] = []
        let isDueNow = try withCursor(at: index, floor: &floor) {
            (cursor, _, desk) throws(EventStreamingError) in
            try cursor.settle(settlement, at: moment, log: log, desk: &desk, givenUp: &givenUp)
        }
        effects.hasNews = effects.hasNews || isDueNow
        bury(givenUp, of: settlement.holder.consumer, at: moment, effects: &effects)
    }

    // MARK: - Ending

    /// Ends what ran out.
    mutating func expire(at moment: Moment, log: EventLog, floor: inout RetentionFloor, effects: inout Effects) {
        guard earliestDeadline <= moment.uptime else { return }
        var earliest = Duration.never
        var leaving: [ConsumerID] = []
        for index in consumers.indices where consumers.values[index].membership.isConnected {
            if consumers.values[index].membership.expiresAt <= moment.uptime {
                endLeases(at: index, as: .lost("the consumer expired"), moment, log, &floor, &effects)
                leaving.append(consumers.keys[index])
                continue
            }
            while let lease = firstExpiring(at: index), lease.rank <= moment.uptime {
                endLeases([lease.key], at: index, as: .lost("the lease expired"), moment, log, &floor, &effects)
            }
            let expiresAt = consumers.values[index].membership.expiresAt
            earliest = min(earliest, min(expiresAt, firstExpiring(at: index)?.rank ?? expiresAt))
        }
        for id in leaving {
            guard let index = consumers.index(forKey: id) else { continue }
            let epoch = consumers.values[index].membership.epoch
            effects.addExpired(ConsumerRegistration(subscription: definition.id, consumer: id, epoch: epoch))
            leave(id, at: index, floor: &floor)
        }
        earliestDeadline = earliest
    }

    private mutating func firstExpiring(
        at index: Dictionary<ConsumerID, Consumer>.Index
    ) -> LazyQueue<Duration>.Entry? {
        let cursor = isShared ? shared : consumers.values[index].cursor
        return consumers.values[index].membership.firstExpiring(in: cursor)
    }

    private mutating func endLeases(
        at index: Dictionary<ConsumerID, Consumer>.Index,
        as end: LeaseEnd,
        _ moment: Moment,
        _ log: EventLog,
        _ floor: inout RetentionFloor,
        _ effects: inout Effects
    ) {
        let keys = consumers.values[index].membership.leaseKeys.sorted()
        endLeases(keys, at: index, as: end, moment, log, &floor, &effects)
    }

    private mutating func endLeases(
        _ keys: [UInt64],
        at index: Dictionary<ConsumerID, Consumer>.Index,
        as end: LeaseEnd,
        _ moment: Moment,
        _ log: EventLog,
        _ floor: inout RetentionFloor,
        _ effects: inout Effects
    ) {
        var givenUp: [GivenUp] = []
        let hasEnded = withCursor(at: index, floor: &floor) { cursor, _, desk in
            var hasEnded = false
            for key in keys {
                let isEnded = cursor.end(key, as: end, at: moment, log: log, desk: &desk, givenUp: &givenUp)
                hasEnded = hasEnded || isEnded
            }
            return hasEnded
        }
        effects.hasNews = effects.hasNews || hasEnded
        bury(givenUp, of: consumers.keys[index], at: moment, effects: &effects)
    }

    // MARK: - Dead letters

    /// Puts events into the dead-letter stream. Cannot fail, and is part of the same change as what gave them up.
    private func bury(_ givenUp: [GivenUp], of consumer: ConsumerID, at moment: Moment, effects: inout Effects) {
        guard !givenUp.isEmpty else { return }
        deadLetters.deliver(
            givenUp.map { event in
                DeadLetter(
                    number: .zero,
                    event: event.event,
                    stream: definition.stream,
                    subscription: definition.id,
                    consumer: isShared ? nil : consumer,
                    reason: event.history.reason,
                    attempts: event.history.attempts,
                    firstFailure: event.history.firstFailure ?? moment.now,
                    lastFailure: event.history.lastFailure ?? moment.now
                )
            },
            at: moment.now
        )
        effects.addDeadLetters(to: definition.deadLetterStream)
    }

    /// Delivers dead letters again whose position still exists and whose type is wanted.
    ///
    /// - Returns: How many.
    mutating func redrive(_ numbers: Range<Int64>, at moment: Moment) -> Int {
        var count = 0
        for letter in deadLetters.open(in: numbers) where desk.filter.wants(letter.event.type) {
            if isShared {
                guard deadLetters.close(letter.number.rawValue) else { continue }
                shared.redrive(letter.event, at: moment.uptime, desk: &desk)
            } else {
                guard let id = letter.consumer, let index = consumers.index(forKey: id),
                    deadLetters.close(letter.number.rawValue)
                else { continue }
                consumers.values[index].cursor.redrive(letter.event, at: moment.uptime, desk: &desk)
            }
            count += 1
        }
        return count
    }

    // MARK: - Describing

    var consumerInfos: [ConsumerInfo] {
        consumers.sorted { $0.key < $1.key }.map { id, consumer in
            let membership = consumer.membership
            return ConsumerInfo(
                id: id,
                kind: membership.kind,
                epoch: membership.epoch,
                isConnected: membership.isConnected,
                registeredAt: membership.registeredAt,
                lastSeenAt: membership.lastSeenAt,
                inFlight: (isShared ? shared : consumer.cursor).counts(heldBy: membership.epoch).inFlight
            )
        }
    }

    func progress(head: Int64) -> [SubscriptionProgress] {
        positions.map { consumer, cursor in
            let counts = cursor.counts()
            return SubscriptionProgress(
                subscription: definition.id,
                consumer: consumer,
                position: StreamOffset(cursor.position),
                head: StreamOffset(head),
                inFlight: counts.inFlight,
                waiting: counts.waiting,
                deadLetters: deadLetters.openCount(of: consumer)
            )
        }
    }
}
