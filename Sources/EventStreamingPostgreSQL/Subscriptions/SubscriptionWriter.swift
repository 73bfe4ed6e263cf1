#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// What changed in a subscription, gathered from several operations, and the one statement that writes it down.
struct SubscriptionWriter {
    private var consumers: [ConsumerID: ConsumerRecord] = [:]
    private var removedConsumers: Set<ConsumerID> = []
    private var deliveries: [UInt64: DeliveryRecord] = [:]
    private var removedDeliveries: Set<UInt64> = []
    private(set) var record: SubscriptionRecord
    private let old: SubscriptionRecord

    init(_ record: SubscriptionRecord) {
        self.record = record
        old = record
    }

    /// Whether there is nothing to write.
    var isEmpty: Bool {
        record == old && consumers.isEmpty && removedConsumers.isEmpty && deliveries.isEmpty
            && removedDeliveries.isEmpty
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
    }

    /// Does nothing, and returns no row, unless the subscription has the version that the changes are based on.
    private static let statement = Statement(
        """
        WITH subscription AS (
            UPDATE subscriptions SET version = version + 1, last_key = $4::bigint, position = $5::bigint,
                next = $6::bigint, missed = $32::bigint
            WHERE ctid = $2::tid AND id = $1::bigint AND version = $3::bigint
            RETURNING id, ctid
        ), removed_deliveries AS (
            DELETE FROM deliveries d USING subscription s
            WHERE d.subscription_id = s.id AND d.key = ANY ($7::bigint[])
        ), lost_deliveries AS (
            DELETE FROM deliveries d USING subscription s
            WHERE cardinality($8::text[]) > 0 AND d.subscription_id = s.id AND d.consumer = ANY ($8::text[])
                AND d.key <> ALL ($7::bigint[]) AND d.key <> ALL ($19::bigint[])
        ), removed_consumers AS (
            DELETE FROM consumer_offsets c USING subscription s
            WHERE cardinality($8::text[]) > 0 AND c.subscription_id = s.id AND c.consumer = ANY ($8::text[])
                AND c.consumer <> ALL ($9::text[])
        ), new_consumers AS (
            INSERT INTO consumer_offsets AS c (
                subscription_id, consumer, kind, epoch, is_connected, registered_at, last_seen_at, expires_at, position,
                next, missed
            )
            SELECT s.id, n.* FROM subscription s, unnest(
                $9::text[], $10::text[], $11::bigint[], $12::bool[], $13::bigint[], $14::bigint[], $15::bigint[],
                $16::bigint[], $17::bigint[], $33::bigint[]
            ) n
            ON CONFLICT (subscription_id, consumer) DO UPDATE SET
                kind = excluded.kind, epoch = excluded.epoch, is_connected = excluded.is_connected,
                registered_at = excluded.registered_at, last_seen_at = excluded.last_seen_at,
                expires_at = excluded.expires_at, position = excluded.position, next = excluded.next,
                missed = excluded.missed
        ), new_deliveries AS (
            INSERT INTO deliveries AS d (
                subscription_id, key, consumer, holder, deadline, first_offset, end_offset, scheduled, remaining,
                attempts, first_failure, last_failure, reason, redriven
            )
            SELECT s.id, n.* FROM subscription s, unnest(
                $19::bigint[], $20::text[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[], $25::bytea[],
                $26::bytea[], $27::bigint[], $28::bigint[], $29::bigint[], $30::bytea[], $31::bytea[]
            ) n
            ON CONFLICT (subscription_id, key) DO UPDATE SET
                holder = excluded.holder, deadline = excluded.deadline, first_offset = excluded.first_offset,
                end_offset = excluded.end_offset, scheduled = excluded.scheduled, remaining = excluded.remaining,
                attempts = excluded.attempts, first_failure = excluded.first_failure,
                last_failure = excluded.last_failure, reason = excluded.reason, redriven = excluded.redriven
        )
        SELECT ctid, CASE WHEN $18::bool THEN set_config('synchronous_commit', 'off', true) END FROM subscription
        """
    )

    /// Writes the changes down, as a transaction of their own or a part of the one that is open.
    ///
    /// - Parameter isRelaxed: Whether a crash of the server may forget them within its last moments.
    /// - Returns: Where the subscription's row is now; `nil` when somebody else has changed it meanwhile.
    func write(
        to entry: SubscriptionEntry,
        _ subscription: LoadedSubscription,
        isRelaxed: Bool,
        _ session: Session
    ) throws(EventStreamingError) -> [UInt8]? {
        var parameters = Parameters(capacity: 1024)
        parameters.add(entry.id)
        parameters.add(subscription.place)
        parameters.add(subscription.version)
        parameters.add(Int64(bitPattern: record.lastKey))
        parameters.add(record.position)
        parameters.add(record.next)
        parameters.add(removedDeliveries.map { Int64(bitPattern: $0) })
        parameters.add(removedConsumers.map(\.rawValue))
        addConsumers(to: &parameters)
        parameters.add(isRelaxed)
        addDeliveries(to: &parameters)
        parameters.add(record.missed)
        parameters.add(consumers.values.sorted { $0.id < $1.id }.map(\.missed))
        do throws(DatabaseError) {
            let rows = try session.change(Self.statement, parameters)
            return rows.count > 0 ? Array(rows.bytes(0, 0)) : nil
        } catch {
            throw error.eventStreamingError
        }
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
    }
}
#endif
