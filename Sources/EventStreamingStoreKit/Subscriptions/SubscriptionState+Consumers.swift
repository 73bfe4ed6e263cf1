package import EventStreamingCore

extension SubscriptionState {
    // MARK: - Coming and going

    /// The place of a registration's consumer.
    func place(of registration: ConsumerRegistration) throws(EventStreamingError) -> Int {
        guard let place = consumers.place(of: registration.consumer) else {
            throw .unknownConsumer(registration)
        }
        let epoch = consumers[place].membership.epoch
        guard registration.epoch >= epoch else {
            throw .consumerReplaced(registration)
        }
        guard registration.epoch == epoch, consumers[place].membership.isConnected else {
            throw .unknownConsumer(registration)
        }
        return place
    }

    /// - Parameter position: Where the position of a consumer begins that has none.
    package mutating func register(
        _ id: ConsumerID,
        kind: ConsumerKind,
        epoch: UInt64,
        position: Int64,
        at moment: Moment,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) {
        enter(id, kind: kind, epoch: epoch, position: position, at: moment, floor: &floor, effects: &effects)
        sharePartitions(effects: &effects)
    }

    /// Adds a consumer, or its newer registration, that has no partitions yet.
    private mutating func enter(
        _ id: ConsumerID,
        kind: ConsumerKind,
        epoch: UInt64,
        position: Int64,
        at moment: Moment,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) {
        let membership = Membership(kind: kind, epoch: epoch, at: moment, timeout: desk.consumerTimeout)
        if let place = consumers.place(of: id) {
            endLeases(at: place, because: "the consumer was replaced", moment, &floor, &effects)
            partitions?.hand(from: consumers[place].membership.epoch, to: epoch)
            consumers[place].membership = membership
        } else {
            consumers.add(
                Consumer(id: id, membership: membership, cursor: Cursor(at: position, tracksChanges: tracksChanges)))
            if !isShared {
                floor.add(position)
                noteOwnPosition(position)
            }
        }
        markChanged(id)
        expect(membership.expiresAt)
    }

    /// Adds a durable consumer that is not connected; does nothing when the name is known.
    package mutating func create(
        _ id: ConsumerID,
        epoch: UInt64,
        position: Int64,
        at moment: Moment,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) {
        guard consumers.place(of: id) == nil else { return }
        enter(id, kind: .durable, epoch: epoch, position: position, at: moment, floor: &floor, effects: &effects)
        if let place = consumers.place(of: id) {
            leave(at: place, floor: &floor, effects: &effects)
        }
    }

    package mutating func unregister(
        _ registration: ConsumerRegistration,
        at moment: Moment,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) throws(EventStreamingError) {
        let place = try place(of: registration)
        endLeases(at: place, because: "the consumer left", moment, &floor, &effects)
        leave(at: place, floor: &floor, effects: &effects)
        sharePartitions(effects: &effects)
    }

    /// Disconnects a consumer whose leases were ended.
    private mutating func leave(at place: Int, floor: inout RetentionFloor, effects: inout SubscriptionEffects) {
        switch consumers[place].membership.kind {
        case .durable:
            consumers[place].membership.isConnected = false
            markChanged(consumers[place].id)
        case .temporary: forget(consumers[place].id, floor: &floor, effects: &effects)
        }
    }

    private mutating func forget(
        _ id: ConsumerID,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) {
        guard let consumer = consumers.remove(id) else { return }
        markChanged(id)
        if desk.keepsReceipts {
            effects.receipts.append(ReceiptChange(id, .forget))
        }
        if tracksChanges {
            forgottenDeliveries.formUnion(consumer.cursor.deliveries.keys)
        }
        guard !isShared else { return }
        floor.remove(consumer.cursor.position)
    }

    /// - Returns: Whether there was such a consumer.
    package mutating func remove(
        _ id: ConsumerID,
        at moment: Moment,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) -> Bool {
        guard let place = consumers.place(of: id) else { return false }
        if isShared {
            endLeases(at: place, because: "the consumer was removed", moment, &floor, &effects)
        }
        forget(id, floor: &floor, effects: &effects)
        sharePartitions(effects: &effects)
        return true
    }

    package mutating func heartbeat(
        _ registration: ConsumerRegistration,
        extending leases: LeaseExtension,
        at moment: Moment,
        floor: inout RetentionFloor
    ) throws(EventStreamingError) {
        let place = try place(of: registration)
        withCursor(at: place, floor: &floor) { cursor, membership, desk in
            membership.showLife(at: moment, timeout: desk.consumerTimeout)
            let expiry = moment.uptime + desk.visibilityTimeout
            switch leases {
            case .none: break
            case .all: cursor.extend(membership.leaseKeys, of: membership.epoch, until: expiry)
            case .only(let keys): cursor.extend(keys, of: membership.epoch, until: expiry)
            }
        }
    }

    // MARK: - Ending

    /// Ends what ran out.
    package mutating func expire(at moment: Moment, floor: inout RetentionFloor, effects: inout SubscriptionEffects) {
        guard earliestDeadline <= moment.uptime else { return }
        var earliest = Duration.never
        var leaving: [ConsumerID] = []
        for place in connectedPlaces {
            if consumers[place].membership.expiresAt <= moment.uptime {
                endLeases(at: place, because: "the consumer expired", moment, &floor, &effects)
                leaving.append(consumers[place].id)
                continue
            }
            while let lease = firstExpiring(at: place), lease.rank <= moment.uptime {
                endLeases([lease.key], at: place, because: "the lease expired", moment, &floor, &effects)
            }
            let expiresAt = consumers[place].membership.expiresAt
            earliest = min(earliest, min(expiresAt, firstExpiring(at: place)?.rank ?? expiresAt))
        }
        for id in leaving {
            // Places change when one leaves for good.
            guard let place = consumers.place(of: id) else { continue }
            let epoch = consumers[place].membership.epoch
            effects.expired.append(ConsumerRegistration(subscription: definition.id, consumer: id, epoch: epoch))
            leave(at: place, floor: &floor, effects: &effects)
        }
        if !leaving.isEmpty {
            sharePartitions(effects: &effects)
        }
        earliestDeadline = earliest
    }

    /// In order of the registrations, so that what happens does not depend on how the consumers are kept.
    var connectedPlaces: [Int] {
        consumers.indices
            .filter { consumers[$0].membership.isConnected }
            .sorted { consumers[$0].membership.epoch < consumers[$1].membership.epoch }
    }

    private mutating func firstExpiring(at place: Int) -> LazyQueue<Duration>.Entry? {
        let cursor = isShared ? shared : consumers[place].cursor
        return consumers[place].membership.firstExpiring(in: cursor)
    }

    mutating func endLeases(
        at place: Int,
        because reason: String,
        _ moment: Moment,
        _ floor: inout RetentionFloor,
        _ effects: inout SubscriptionEffects
    ) {
        let keys = consumers[place].membership.leaseKeys.sorted()
        endLeases(keys, at: place, because: reason, moment, &floor, &effects)
    }

    private mutating func endLeases(
        _ keys: [UInt64],
        at place: Int,
        because reason: String,
        _ moment: Moment,
        _ floor: inout RetentionFloor,
        _ effects: inout SubscriptionEffects
    ) {
        var givenUp: [GivenUp] = []
        let hasEnded = withCursor(at: place, floor: &floor) { cursor, _, desk in
            var hasEnded = false
            for key in keys {
                let isEnded = cursor.end(key, because: reason, at: moment, desk: &desk, givenUp: &givenUp)
                hasEnded = hasEnded || isEnded
            }
            return hasEnded
        }
        effects.hasNews = effects.hasNews || hasEnded
        note(givenUp, of: consumers[place].id, effects: &effects)
    }

    /// Ends all registrations and leases: nobody of the process that had them is left. Unfinished deliveries count.
    package mutating func disconnectAll(
        because reason: String,
        at moment: Moment,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) {
        for id in connectedPlaces.map({ consumers[$0].id }) {
            guard let place = consumers.place(of: id) else { continue }
            endLeases(at: place, because: reason, moment, &floor, &effects)
            leave(at: place, floor: &floor, effects: &effects)
        }
        sharePartitions(effects: &effects)
    }
}
