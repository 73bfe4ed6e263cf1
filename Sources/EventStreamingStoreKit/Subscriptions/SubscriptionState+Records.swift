package import EventStreamingCore

extension SubscriptionState {
    // MARK: - Writing down

    /// How many signs of life are written down within the time that a consumer lives without one, at least.
    private static let lifeSigns = 8

    private var record: SubscriptionRecord {
        SubscriptionRecord(
            lastKey: desk.lastKey,
            position: shared.position,
            next: shared.next,
            missed: shared.missed,
            partitions: partitions?.count ?? 0
        )
    }

    /// What changed since the last call, or since the state was made or restored. Costs what the changes cost.
    ///
    /// - Parameter sparesLifeSigns: Whether a sign of life that says nothing else is left out, unless it is an eighth of
    ///   the consumers' timeout later than the last. For stores whose registrations end with the process: whoever
    ///   restores the state from what was written would see them end too early.
    package mutating func takeChanges(sparesLifeSigns: Bool = false) -> SubscriptionChanges {
        var changes = SubscriptionChanges(subscription: record)
        take(shared.takeChangedKeys(), of: nil, from: shared, into: &changes)
        let apart = sparesLifeSigns ? desk.consumerTimeout / Self.lifeSigns : .zero
        for id in changedConsumers.sorted() {
            guard let place = consumers.place(of: id) else {
                changes.removedConsumers.append(id)
                continue
            }
            if let record = consumers[place].takeChanges(lifeSignsApart: apart) {
                changes.consumers.append(record)
            }
            let keys = consumers[place].cursor.takeChangedKeys()
            take(keys, of: id, from: consumers[place].cursor, into: &changes)
        }
        changedConsumers.removeAll(keepingCapacity: true)
        if !forgottenDeliveries.isEmpty {
            changes.removedDeliveries += forgottenDeliveries.sorted()
            forgottenDeliveries = []
        }
        if partitions != nil {
            changes.partitions = partitions?.takeChanges() ?? []
        }
        return changes
    }

    private func take(
        _ keys: Set<UInt64>,
        of consumer: ConsumerID?,
        from cursor: Cursor,
        into changes: inout SubscriptionChanges
    ) {
        for key in keys.sorted() {
            if let delivery = cursor.deliveries[key] {
                changes.deliveries.append(DeliveryRecord(consumer: consumer, key: key, delivery: delivery))
            } else {
                changes.removedDeliveries.append(key)
            }
        }
    }

    // MARK: - Restoring

    /// The subscription that was written down. Tracks changes.
    ///
    /// Positions are not added to any floor; ``count(in:)`` does that. What contradicts itself, because the rows were
    /// damaged, is made consistent on the side of delivering again: offsets in no delivery and before ``next`` count as
    /// finished, deliveries of consumers that are not there are dropped.
    package init(restoring records: SubscriptionRecords, definition: SubscriptionDefinition, seed: UInt64) {
        let desk = Desk(definition, lastKey: records.subscription.lastKey, seed: seed)
        let next = max(records.subscription.next, records.subscription.position)
        let cursor = Cursor(at: next, missed: records.subscription.missed, tracksChanges: true)
        self.init(definition, desk: desk, shared: cursor)
        if definition.mode == .consumerGroup {
            // What was written down decides: others may have shared out the events anew.
            let count = min(max(1, records.subscription.partitions), Limits.partitions)
            setPartitions(count)
            partitions = PartitionTable(count: count, restoring: records.partitions)
        }
        var places: [UInt64: Int] = [:]
        for record in records.consumers {
            places[record.epoch] = consumers.indices.upperBound
            consumers.add(Consumer(record))
        }
        for record in records.deliveries {
            restore(record, places)
        }
        shared.finishRestoring()
        earliestDeadline = .never
        for place in consumers.indices {
            consumers[place].cursor.finishRestoring()
            if consumers[place].membership.isConnected {
                // Looks at leases too; they end no later than when somebody looks.
                earliestDeadline = .zero
            }
        }
    }

    /// - Parameter places: The places of consumers, by their epochs.
    private mutating func restore(_ record: DeliveryRecord, _ places: [UInt64: Int]) {
        var record = record
        if partitions != nil, record.delivery.keys == nil {
            record.delivery.keys = EventKeys([], of: record.delivery.scheduled)
        }
        if isShared {
            shared.add(record.delivery, key: record.key)
        } else if let place = record.consumer.flatMap({ consumers.place(of: $0) }) {
            consumers[place].cursor.add(record.delivery, key: record.key)
        }
        guard case .leased(let holder, let expiry) = record.delivery.phase, let place = places[holder] else { return }
        let cursor = isShared ? shared : consumers[place].cursor
        consumers[place].membership.hold(record.key, until: expiry, in: cursor)
    }
}

extension ConsumerRecord {
    init(_ consumer: Consumer) {
        let membership = consumer.membership
        self.init(
            id: consumer.id,
            kind: membership.kind,
            epoch: membership.epoch,
            isConnected: membership.isConnected,
            registeredAt: membership.registeredAt,
            lastSeenAt: membership.lastSeenAt,
            expiresAt: membership.expiresAt,
            position: consumer.cursor.position,
            next: consumer.cursor.next,
            missed: consumer.cursor.missed
        )
    }
}

extension Consumer {
    init(_ record: ConsumerRecord) {
        self.init(
            id: record.id,
            membership: Membership(record),
            cursor: Cursor(at: max(record.next, record.position), missed: record.missed, tracksChanges: true),
            written: record
        )
    }
}

extension Membership {
    fileprivate init(_ record: ConsumerRecord) {
        let registration = Moment(now: record.registeredAt, uptime: .zero)
        self.init(kind: record.kind, epoch: record.epoch, at: registration, timeout: .zero)
        isConnected = record.isConnected
        lastSeenAt = record.lastSeenAt
        expiresAt = record.expiresAt
    }
}
