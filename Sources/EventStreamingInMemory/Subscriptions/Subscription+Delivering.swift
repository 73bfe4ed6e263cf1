import EventStreamingCore

extension Subscription {
    // MARK: - Handing out

    /// - Returns: `nil` when there is more to look at and the call should be repeated.
    mutating func dequeue(
        as registration: ConsumerRegistration,
        limit: Int,
        at moment: Moment,
        log: EventLog,
        floor: inout RetentionFloor
    ) throws(EventStreamingError) -> DequeueResult? {
        let place = try place(of: registration)
        let scan = withCursor(at: place, floor: &floor) { cursor, membership, desk in
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
            return .empty(until: nextChange(for: place))
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
    private mutating func nextChange(for place: Int) -> Duration? {
        guard isShared else {
            return consumers[place].cursor.nextDue()
        }
        var next = shared.nextDue()
        for other in consumers.indices where other != place {
            guard let lease = consumers[other].membership.firstExpiring(in: shared) else { continue }
            let deadline = min(lease.rank, consumers[other].membership.expiresAt)
            next = min(next ?? deadline, deadline)
        }
        return next
    }

    // MARK: - Settling

    mutating func settle(
        _ settlement: Settlement,
        at moment: Moment,
        log: EventLog,
        floor: inout RetentionFloor,
        effects: inout Effects
    ) throws(EventStreamingError) {
        let holder = settlement.holder
        guard let place = consumers.place(of: holder.consumer) else { throw .leaseEnded(settlement) }
        guard holder.epoch >= consumers[place].membership.epoch else { throw .consumerReplaced(holder) }
        var givenUp: [GivenUp] = []
        let isGivenBack = try withCursor(at: place, floor: &floor) { (cursor, _, desk) throws(EventStreamingError) in
            try cursor.settle(settlement, at: moment, log: log, desk: &desk, givenUp: &givenUp)
        }
        effects.hasNews = effects.hasNews || isGivenBack
        bury(givenUp, of: holder.consumer, at: moment, effects: &effects)
    }

    // MARK: - Dead letters

    /// Puts events into the dead-letter stream. Cannot fail, and is part of the same change as what gave them up.
    func bury(_ givenUp: [GivenUp], of consumer: ConsumerID, at moment: Moment, effects: inout Effects) {
        guard !givenUp.isEmpty else { return }
        let letters = givenUp.map { event in
            DeadLetter(
                number: .zero,
                event: event.event,
                stream: definition.stream,
                subscription: definition.id,
                consumer: isShared ? nil : consumer,
                reason: event.failure.reason,
                attempts: event.attempts,
                firstFailure: event.failure.first,
                lastFailure: event.failure.last
            )
        }
        deadLetters.deliver(letters, at: moment.now)
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
                guard let place = letter.consumer.flatMap({ consumers.place(of: $0) }),
                    deadLetters.close(letter.number.rawValue)
                else { continue }
                consumers[place].cursor.redrive(letter.event, at: moment.uptime, desk: &desk)
            }
            count += 1
        }
        return count
    }
}
