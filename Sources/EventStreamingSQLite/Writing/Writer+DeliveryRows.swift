import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    // MARK: - Consumers

    func consumers(of subscription: Int64) throws -> [ConsumerRecord] {
        let query = try statement(.consumers)
        query.bind(1, subscription)
        defer { query.reset() }
        var consumers: [ConsumerRecord] = []
        while try query.step() {
            guard let id = try? ConsumerID(query.text(0)), let kind = ConsumerKind(rawValue: query.text(1)) else {
                throw Damage(what: "the table of consumers has a row that this store did not write")
            }
            consumers.append(
                ConsumerRecord(
                    id: id,
                    kind: kind,
                    epoch: UInt64(clamping: query.int(2)),
                    isConnected: query.int(3) != 0,
                    registeredAt: Timestamp(nanosecondsSinceEpoch: query.int(4)),
                    lastSeenAt: Timestamp(nanosecondsSinceEpoch: query.int(5)),
                    expiresAt: times.read(query.int(6)),
                    position: query.int(7),
                    next: query.int(8),
                    missed: query.int(9)
                )
            )
        }
        return consumers
    }

    func write(_ consumer: ConsumerRecord, of subscription: Int64) throws {
        let put = try statement(.putConsumer)
        put.bind(1, subscription)
        put.bind(2, consumer.id.rawValue)
        put.bind(3, consumer.kind.rawValue)
        put.bind(4, Int64(clamping: consumer.epoch))
        put.bind(5, consumer.isConnected ? 1 : 0)
        put.bind(6, consumer.registeredAt.nanosecondsSinceEpoch)
        put.bind(7, consumer.lastSeenAt.nanosecondsSinceEpoch)
        put.bind(8, times.written(consumer.expiresAt))
        put.bind(9, consumer.position)
        put.bind(10, consumer.next)
        put.bind(11, consumer.missed)
        try put.run()
    }

    func remove(_ consumer: ConsumerID, of subscription: Int64) throws {
        for query in [Query.removeConsumer, .removeDeliveriesOfConsumer] {
            let remove = try statement(query)
            remove.bind(1, subscription)
            remove.bind(2, consumer.rawValue)
            try remove.run()
        }
    }

    // MARK: - Deliveries

    func deliveries(of subscription: Int64) throws -> [DeliveryRecord] {
        let query = try statement(.deliveries)
        query.bind(1, subscription)
        defer { query.reset() }
        var deliveries: [DeliveryRecord] = []
        while try query.step() {
            deliveries.append(try delivery(from: query))
        }
        return deliveries
    }

    private func delivery(from row: SQLiteStatement) throws -> DeliveryRecord {
        let damage = Damage(what: "the table of deliveries has a row that this store did not write")
        let bounds = (row.int(14), row.int(15))
        guard 0 <= bounds.0, bounds.0 <= bounds.1, bounds.1 <= EventPosition.offsetLimit else { throw damage }
        let span = bounds.0..<bounds.1
        let scheduled = row.isNull(16) ? OffsetRanges(span) : OffsetRanges(text: row.text(16))
        let remaining = row.isNull(17) ? scheduled : OffsetRanges(text: row.text(17))
        guard let scheduled, let remaining else { throw damage }
        let consumer = row.optionalText(11)
        let owner = try consumer.map { name in
            guard let owner = try? ConsumerID(name) else { throw damage }
            return owner
        }
        let due = times.read(row.int(13))
        var failure: Delivery.Failure?
        if !row.isNull(19) {
            failure = Delivery.Failure(
                first: Timestamp(nanosecondsSinceEpoch: row.int(19)),
                last: Timestamp(nanosecondsSinceEpoch: row.int(20)),
                reason: row.text(21)
            )
        }
        let holder = row.optionalInt(12).map { UInt64(clamping: $0) }
        return DeliveryRecord(
            consumer: owner,
            key: UInt64(clamping: row.int(10)),
            delivery: Delivery(
                phase: holder.map { .leased(holder: $0, expiry: due) } ?? .waiting(due: due),
                span: span,
                scheduled: scheduled,
                remaining: remaining,
                attempts: Int(clamping: row.int(18)),
                failure: failure,
                redriven: row.isNull(0) ? nil : Delivery.Redriven(try rows.event(from: row)),
                keys: row.isNull(22) ? nil : EventKeys([PartitionKey](row.bytes(22)), of: scheduled)
            )
        )
    }

    func write(_ record: DeliveryRecord, of subscription: Int64) throws {
        let delivery = record.delivery
        let put = try statement(.putDelivery)
        put.bind(1, subscription)
        put.bind(2, Int64(clamping: record.key))
        put.bind(3, record.consumer?.rawValue)
        switch delivery.phase {
        case .leased(let holder, let expiry):
            put.bind(4, Int64(clamping: holder))
            put.bind(5, times.written(expiry))
        case .waiting(let due):
            put.bindNull(4)
            put.bind(5, times.written(due))
        }
        put.bind(6, delivery.span.lowerBound)
        put.bind(7, delivery.span.upperBound)
        put.bind(8, delivery.scheduled == OffsetRanges(delivery.span) ? nil : delivery.scheduled.text)
        put.bind(9, delivery.remaining == delivery.scheduled ? nil : delivery.remaining.text)
        put.bind(10, Int64(delivery.attempts))
        put.bind(11, delivery.failure?.first.nanosecondsSinceEpoch)
        put.bind(12, delivery.failure?.last.nanosecondsSinceEpoch)
        put.bind(13, delivery.failure?.reason)
        bind(delivery.redriven?.event, to: put)
        if let keys = delivery.scheduledKeys?.bytes {
            keys.withUnsafeBytes { put.bind(24, copied: $0) }
        } else {
            put.bindNull(24)
        }
        try put.run()
    }

    /// Binds the copy of an event that returns from the dead letters.
    private func bind(_ event: StoredEvent?, to put: SQLiteStatement) {
        guard let event, case .encoded(let payload) = event.payload else {
            for index in Int32(14)...23 {
                put.bindNull(index)
            }
            return
        }
        put.bind(14, event.offset.rawValue)
        put.bind(15, event.timestamp.nanosecondsSinceEpoch)
        event.id.withBytes { put.bind(16, copied: $0) }
        put.bind(17, event.type.name)
        put.bind(18, Int64(event.type.version))
        put.bind(19, Int64(event.size))
        put.bind(20, event.correlationID?.rawValue)
        if let causationID = event.causationID {
            causationID.withBytes { put.bind(21, copied: $0) }
        } else {
            put.bindNull(21)
        }
        put.bind(22, HeaderText.text(of: event.headers))
        payload.withUnsafeBytes { bytes in
            if bytes.isEmpty {
                put.bind(23, unmoved: bytes)
            } else {
                put.bind(23, copied: bytes)
            }
        }
    }

    func removeDelivery(_ key: UInt64, of subscription: Int64) throws {
        let remove = try statement(.removeDelivery)
        remove.bind(1, subscription)
        remove.bind(2, Int64(clamping: key))
        try remove.run()
    }
}
