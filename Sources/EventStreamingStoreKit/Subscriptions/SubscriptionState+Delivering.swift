package import EventStreamingCore

extension SubscriptionState {
    // MARK: - Handing out

    /// Leases the next events, after what is to be settled, as ``EventStreamStore/dequeue(as:limit:settling:)`` says.
    ///
    /// A refusal comes before any change; what `log` or `parkedKeys` throws may come after the settlement.
    ///
    /// - Parameter parkedKeys: The keys with open dead letters; asked for only with
    ///   ``SubscriptionDefinition/keepsOrder``, and perhaps without those in `effects`.
    package mutating func dequeue(
        as registration: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?,
        at moment: Moment,
        log: some SubscriptionLog,
        parkedKeys: () throws(EventStreamingError) -> ParkedKeys,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) throws(EventStreamingError) -> Dequeued {
        let place = try place(of: registration)
        if let settlement {
            try settle(settlement, at: moment, floor: &floor, effects: &effects)
        }
        let parked = try parked(parkedKeys, effects)
        let partitions = partitions
        let wasCrowded = partitions != nil && shared.isCrowded
        let scan = try withCursor(at: place, floor: &floor) {
            (cursor, membership, desk) throws(EventStreamingError) in
            membership.showLife(at: moment, timeout: desk.consumerTimeout)
            let scan = try Self.lease(
                from: &cursor,
                limit: limit,
                to: registration.epoch,
                of: partitions,
                parked,
                moment,
                log,
                &desk
            )
            if case .found(let portion) = scan, let expiry = portion.expiry {
                membership.hold(portion.key, until: expiry, in: cursor)
            }
            return scan
        }
        if wasCrowded, !shared.isCrowded {
            // Others may go on looking at new events.
            effects.hasNews = true
        }
        switch scan {
        case .found(let portion):
            if let expiry = portion.expiry {
                expect(expiry)
            }
            return .portion(portion)
        case .unfinished:
            return .unfinished
        case .end:
            return .empty(until: nextChange(for: place, after: moment.uptime))
        }
    }

    private static func lease(
        from cursor: inout Cursor,
        limit: Int,
        to holder: UInt64,
        of partitions: PartitionTable?,
        _ parked: ParkedKeys,
        _ moment: Moment,
        _ log: some SubscriptionLog,
        _ desk: inout Desk
    ) throws(EventStreamingError) -> Scan {
        let limit = min(limit, Limits.eventsPerLease)
        let uptime = moment.uptime
        if let partitions {
            return try cursor.leaseToMember(
                limit: limit,
                at: uptime,
                to: holder,
                of: partitions,
                parked: parked,
                from: log,
                desk: &desk
            )
        }
        if cursor.waiting > 0 {
            if let portion = try cursor.leaseWaiting(limit: limit, at: uptime, to: holder, from: log, desk: &desk) {
                return .found(portion)
            }
            guard cursor.waiting < Limits.waitingRanges else { return .end }
        }
        return try cursor.leaseNew(limit: limit, at: uptime, to: holder, from: log, desk: &desk)
    }

    /// The offsets that a consumer would be handed out next, as far as the stream has them: to read them ahead. `nil` where
    /// it gets others first, a filter decides, or nobody can tell.
    package func nextOffsets(for registration: ConsumerRegistration, limit: Int) -> Range<Int64>? {
        guard partitions == nil, desk.filter.isOpen, let place = consumers.place(of: registration.consumer),
            consumers[place].membership.epoch == registration.epoch
        else { return nil }
        let cursor = isShared ? shared : consumers[place].cursor
        guard cursor.waiting == 0 else { return nil }
        let end = cursor.next.addingReportingOverflow(Int64(max(0, min(limit, Limits.eventsPerLease))))
        return end.overflow ? nil : cursor.next..<end.partialValue
    }

    /// When a consumer that got nothing may get something without a change of the stream: something falls due, or
    /// another consumer or its lease ends.
    private mutating func nextChange(for place: Int, after uptime: Duration) -> Duration? {
        guard isShared else {
            return consumers[place].cursor.nextDue()
        }
        let epoch = consumers[place].membership.epoch
        var next = partitions.map { shared.nextDue(of: epoch, in: $0, after: uptime) } ?? shared.nextDue()
        for other in consumers.indices where other != place {
            guard let lease = consumers[other].membership.firstExpiring(in: shared) else { continue }
            let deadline = min(lease.rank, consumers[other].membership.expiresAt)
            next = min(next ?? deadline, deadline)
        }
        return next
    }

    // MARK: - Settling

    /// Records what became of a lease's events. Throws before it changes anything.
    package mutating func settle(
        _ settlement: Settlement,
        at moment: Moment,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) throws(EventStreamingError) {
        let holder = settlement.holder
        guard let place = consumers.place(of: holder.consumer) else { throw .leaseEnded(settlement) }
        guard holder.epoch >= consumers[place].membership.epoch else { throw .consumerReplaced(holder) }
        let read = try settlement.readOffsets(in: definition.mode)
        var givenUp: [GivenUp] = []
        let settled = try withCursor(at: place, floor: &floor) { (cursor, _, desk) throws(EventStreamingError) in
            try cursor.settle(settlement, at: moment, desk: &desk, givenUp: &givenUp)
        }
        // In a group, what was settled may let others have what waits behind it.
        let isAwaited = partitions != nil && shared.waiting > 0
        effects.hasNews = effects.hasNews || settled.isGivenBack || isAwaited
        note(settled.delivered, read: read, of: holder.consumer, effects: &effects)
        note(givenUp, of: holder.consumer, effects: &effects)
    }

    // MARK: - Dead letters

    func note(_ givenUp: [GivenUp], of consumer: ConsumerID, effects: inout SubscriptionEffects) {
        for var event in givenUp {
            event.consumer = isShared ? nil : consumer
            effects.givenUp.append(event)
            noteReceipt(of: event, consumer, effects: &effects)
        }
    }

    /// The keys behind whose dead letters others wait, with those that are given up at this very moment.
    private func parked(
        _ keys: () throws(EventStreamingError) -> ParkedKeys,
        _ effects: SubscriptionEffects
    ) throws(EventStreamingError) -> ParkedKeys {
        guard definition.keepsOrder, partitions != nil else { return ParkedKeys() }
        var parked = try keys()
        parked.add(effects.givenUp)
        return parked
    }

    /// Sees to what it means that dead letters are not open any more: what waited behind them may go on.
    package func noteDiscarded(effects: inout SubscriptionEffects) {
        effects.hasNews = effects.hasNews || definition.keepsOrder
    }

    /// Whether a dead letter can be delivered again: its position still exists, and its type is wanted.
    package mutating func canRedrive(_ letter: DeadLetter) -> Bool {
        guard desk.filter.wants(letter.event.type) else { return false }
        return isShared || letter.consumer.flatMap { consumers.place(of: $0) } != nil
    }

    /// Delivers a dead letter again, as if for the first time. It must be one for which ``canRedrive(_:)`` holds.
    package mutating func redrive(_ letter: DeadLetter, at moment: Moment, effects: inout SubscriptionEffects) {
        effects.hasNews = true
        if isShared {
            shared.redrive(letter.event, hasKey: partitions != nil, at: moment.uptime, desk: &desk)
        } else if let place = letter.consumer.flatMap({ consumers.place(of: $0) }) {
            consumers[place].cursor.redrive(letter.event, hasKey: false, at: moment.uptime, desk: &desk)
            markChanged(consumers[place].id)
            noteReceipt(ofRedriven: letter, consumers[place].id, effects: &effects)
        }
    }
}
