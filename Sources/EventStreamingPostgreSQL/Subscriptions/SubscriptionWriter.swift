#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// What changed in a subscription, gathered from several operations, and the one statement that writes it down.
struct SubscriptionWriter {
    private var consumers: [ConsumerID: ConsumerRecord] = [:]
    private var removedConsumers: Set<ConsumerID> = []
    private var deliveries: [UInt64: DeliveryRecord] = [:]
    private var removedDeliveries: Set<UInt64> = []
    private var partitions: [Int: PartitionRecord] = [:]
    private(set) var record: SubscriptionRecord
    private let old: SubscriptionRecord

    init(_ record: SubscriptionRecord) {
        self.record = record
        old = record
    }

    /// Whether there is nothing to write.
    var isEmpty: Bool {
        record == old && consumers.isEmpty && removedConsumers.isEmpty && deliveries.isEmpty
            && removedDeliveries.isEmpty && partitions.isEmpty
    }

    /// Adds what one operation changed, after all before it.
    mutating func add(_ changes: SubscriptionChanges) {
        record = changes.subscription
        for consumer in changes.removedConsumers {
            consumers[consumer] = nil
            removedConsumers.insert(consumer)
            for (key, delivery) in deliveries where delivery.consumer == consumer {
                deliveries[key] = nil
                removedDeliveries.insert(key)
            }
        }
        for consumer in changes.consumers {
            consumers[consumer.id] = consumer
        }
        for key in changes.removedDeliveries {
            deliveries[key] = nil
            removedDeliveries.insert(key)
        }
        for delivery in changes.deliveries {
            deliveries[delivery.key] = delivery
        }
        for partition in changes.partitions {
            partitions[partition.number] = partition
        }
    }

    private static let statement = Statement(
        """
        SELECT change_subscription(
            $1::bigint, $2::tid, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint,
            $8::bigint, $9::bool, $10::bigint[], $11::text[], $12::text[], $13::text[],
            $14::bigint[], $15::bool[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[],
            $20::bigint[], $21::bigint[], $22::bigint[], $23::text[], $24::bigint[], $25::bigint[],
            $26::bigint[], $27::bigint[], $28::bytea[], $29::bytea[], $30::bigint[], $31::bigint[],
            $32::bigint[], $33::bytea[], $34::bytea[], $35::bytea[], $36::bigint, $37::bigint[],
            $38::bigint[], $39::bigint[]
        )
        """
    )
    private static let markingStatement = Statement(
        """
        SELECT mark_settled(
            change_subscription(
                $1::bigint, $2::tid, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint,
                $8::bigint, $9::bool, $10::bigint[], $11::text[], $12::text[], $13::text[],
                $14::bigint[], $15::bool[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[],
                $20::bigint[], $21::bigint[], $22::bigint[], $23::text[], $24::bigint[], $25::bigint[],
                $26::bigint[], $27::bigint[], $28::bytea[], $29::bytea[], $30::bigint[], $31::bigint[],
                $32::bigint[], $33::bytea[], $34::bytea[], $35::bytea[], $36::bigint, $37::bigint[],
                $38::bigint[], $39::bigint[]
            ),
            $40::text[], $41::bigint[], $42::uuid[], $43::bigint, $44::text[], $45::bigint[], $46::bigint[]
        )
        """
    )

    /// What writes the changes down, as a transaction of its own or a part of the one that is open.
    ///
    /// - Parameters:
    ///   - first: Where the stream must begin; `nil` where it does not matter.
    ///   - isRelaxed: Whether a crash of the server may forget them within its last moments.
    ///   - processed: Events that are marked as processed with it.
    ///   - time: When they were.
    func command(
        for entry: SubscriptionEntry,
        _ subscription: LoadedSubscription,
        first: Int64?,
        isRelaxed: Bool = false,
        processed: [ProcessedEvents] = [],
        at time: Timestamp? = nil
    ) -> Command {
        let (place, version) = (subscription.place, subscription.version)
        return Command(processed.isEmpty ? Self.statement : Self.markingStatement) { parameters in
            parameters.add(entry.id)
            parameters.add(place)
            parameters.add(version)
            parameters.add(first)
            parameters.add(Int64(bitPattern: record.lastKey))
            parameters.add(record.position)
            parameters.add(record.next)
            parameters.add(record.missed)
            parameters.add(isRelaxed)
            parameters.add(removedDeliveries.map { Int64(bitPattern: $0) })
            parameters.add(removedConsumers.map(\.rawValue))
            addConsumers(to: &parameters)
            addDeliveries(to: &parameters)
            addPartitions(to: &parameters)
            guard !processed.isEmpty else { return }
            add(processed, at: time, to: &parameters)
        }
    }

    private func add(_ processed: [ProcessedEvents], at time: Timestamp?, to parameters: inout Parameters) {
        var end: Int64 = 0
        let ends = processed.map { events in
            end += Int64(events.events.count)
            return end
        }
        let locks = processed.compactMap(\.lock)
        parameters.add(processed.map(\.processor.rawValue))
        parameters.add(ends)
        parameters.add(processed.flatMap(\.events))
        parameters.add(time?.nanosecondsSinceEpoch ?? 0)
        parameters.add(locks.map(\.key.name))
        parameters.add(locks.map(\.key.offsets.lowerBound.rawValue))
        parameters.add(locks.map { Int64(bitPattern: $0.token) })
    }

    /// Where the subscription's row is now, as the command tells; `nil` when somebody else has changed it meanwhile.
    static func place(_ rows: Rows?) -> [UInt8]? {
        guard let rows, rows.count > 0, !rows.isNull(0, 0) else { return nil }
        return Array(rows.bytes(0, 0))
    }

    private func addConsumers(to parameters: inout Parameters) {
        let records = consumers.values.sorted { $0.id < $1.id }
        parameters.add(records.map(\.id.rawValue))
        parameters.add(records.map(\.kind.rawValue))
        parameters.add(records.map { Int64(bitPattern: $0.epoch) })
        parameters.addArray(of: .bool, records) { writer, record in writer.write(UInt8(record.isConnected ? 1 : 0)) }
        parameters.add(records.map(\.registeredAt.nanosecondsSinceEpoch))
        parameters.add(records.map(\.lastSeenAt.nanosecondsSinceEpoch))
        parameters.add(records.map(\.expiresAt.clampedNanoseconds))
        parameters.add(records.map(\.position))
        parameters.add(records.map(\.next))
        parameters.add(records.map(\.missed))
    }

    private func addDeliveries(to parameters: inout Parameters) {
        let records = deliveries.values.sorted { $0.key < $1.key }
        parameters.add(records.map { Int64(bitPattern: $0.key) })
        parameters.addArray(ofNullable: .text, records) { writer, record in
            guard let consumer = record.consumer else { return false }
            writer.write(consumer.rawValue)
            return true
        }
        parameters.addArray(ofNullable: .int8, records) { writer, record in
            guard case .leased(let holder, _) = record.delivery.phase else { return false }
            writer.write(Int64(bitPattern: holder))
            return true
        }
        parameters.addArray(of: .int8, records) { writer, record in
            switch record.delivery.phase {
            case .leased(_, let deadline), .waiting(let deadline): writer.write(deadline.clampedNanoseconds)
            }
        }
        parameters.add(records.map(\.delivery.span.lowerBound))
        parameters.add(records.map(\.delivery.span.upperBound))
        parameters.addArray(ofNullable: .bytea, records) { writer, record in
            SubscriptionRows.write(record.delivery.scheduled, of: record.delivery.span, to: &writer)
        }
        parameters.addArray(ofNullable: .bytea, records) { writer, record in
            SubscriptionRows.write(record.delivery.remaining, of: record.delivery.span, to: &writer)
        }
        parameters.add(records.map { Int64($0.delivery.attempts) })
        for time in [\Delivery.Failure.first, \.last] {
            parameters.addArray(ofNullable: .int8, records) { writer, record in
                guard let failure = record.delivery.failure else { return false }
                writer.write(failure[keyPath: time].nanosecondsSinceEpoch)
                return true
            }
        }
        // As bytes: a reason may hold a NUL, which a text cannot.
        parameters.addArray(ofNullable: .bytea, records) { writer, record in
            guard let failure = record.delivery.failure else { return false }
            writer.write(failure.reason)
            return true
        }
        parameters.addArray(ofNullable: .bytea, records) { writer, record in
            guard let event = record.delivery.redriven?.event else { return false }
            StoredEventBytes.write(event, to: &writer)
            return true
        }
        parameters.addArray(ofNullable: .bytea, records) { writer, record in
            guard let keys = record.delivery.scheduledKeys else { return false }
            keys.bytes.withUnsafeBytes { writer.write($0) }
            return true
        }
    }

    private func addPartitions(to parameters: inout Parameters) {
        let records = partitions.values.filter { $0.number < record.partitions }.sorted { $0.number < $1.number }
        parameters.add(Int64(record.partitions))
        parameters.add(records.map { Int64($0.number) })
        parameters.addArray(ofNullable: .int8, records) { writer, record in
            guard let owner = record.owner else { return false }
            writer.write(Int64(bitPattern: owner))
            return true
        }
        parameters.add(records.map { Int64(bitPattern: $0.epoch) })
    }
}
#endif
