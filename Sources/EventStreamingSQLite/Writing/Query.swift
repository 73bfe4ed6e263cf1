/// The statements of the connection that writes, prepared when they are first used.
enum Query: Int, CaseIterable {
    case begin, commit, setSavepoint, releaseSavepoint, returnToSavepoint
    case putCounter, counter
    case insertStream, updateStream, allStreams
    case insertEvent, eventsInRange, typesInRange, eventByID, bytesBefore, timestamp, deleteEvents
    case insertSubscription, updateSubscription, advanceSubscription, allSubscriptions
    case addEventType, removeEventTypes, eventTypes
    case putConsumer, removeConsumer, consumers
    case putDelivery, removeDelivery, removeDeliveriesOfConsumer, deliveries
    case putPartition, removePartitions, partitions
    case addDeadLetter, removeDeadLetter, openDeadLetters, countDeadLetters, trimDeadLetters, parkedKeys
    case addAuditEntry, auditEntries

    var sql: String {
        switch self {
        case .begin: "BEGIN IMMEDIATE"
        case .commit: "COMMIT"
        case .setSavepoint: "SAVEPOINT event_streaming"
        case .releaseSavepoint: "RELEASE event_streaming"
        case .returnToSavepoint: "ROLLBACK TO event_streaming"
        case .putCounter: "INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)"
        case .counter: "SELECT value FROM counters WHERE name = ?"
        case .insertStream, .updateStream, .allStreams: streamSQL
        case .insertEvent, .eventsInRange, .typesInRange, .eventByID, .bytesBefore, .timestamp, .deleteEvents: eventSQL
        case .insertSubscription, .updateSubscription, .advanceSubscription, .allSubscriptions, .addEventType,
            .removeEventTypes, .eventTypes:
            subscriptionSQL
        case .putConsumer, .removeConsumer, .consumers, .putDelivery, .removeDelivery, .removeDeliveriesOfConsumer,
            .deliveries:
            deliverySQL
        case .putPartition, .removePartitions, .partitions: partitionSQL
        case .addDeadLetter, .removeDeadLetter, .openDeadLetters, .countDeadLetters, .trimDeadLetters, .parkedKeys:
            deadLetterSQL
        case .addAuditEntry, .auditEntries: auditSQL
        }
    }

    private var streamSQL: String {
        switch self {
        case .insertStream: "INSERT INTO streams (name, type, overflow) VALUES (?, ?, ?) RETURNING id"
        case .updateStream:
            """
            UPDATE streams SET capacity = ?2, overflow = ?3, first = ?4, head = ?5, deleted = ?6, dropped = ?7, \
            bytes_trimmed = ?8, bytes_appended = ?9, timestamp = ?10, retention_age = ?11, retention_count = ?12, \
            retention_bytes = ?13 WHERE id = ?1
            """
        default:
            """
            SELECT id, name, type, capacity, overflow, first, head, deleted, dropped, bytes_trimmed, bytes_appended, \
            timestamp, retention_age, retention_count, retention_bytes FROM streams ORDER BY id
            """
        }
    }

    private var eventSQL: String {
        switch self {
        case .insertEvent:
            """
            INSERT INTO events (position, timestamp, bytes_before, event_id, event_type, event_version, size, \
            correlation_id, causation_id, headers, event_data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        case .eventsInRange:
            "SELECT \(EventRows.columns) FROM events WHERE position >= ? AND position < ? ORDER BY position"
        case .typesInRange:
            """
            SELECT position, event_type, event_version, event_id, correlation_id, headers FROM events \
            WHERE position >= ? AND position < ? ORDER BY position
            """
        case .eventByID: "SELECT position FROM events WHERE stream = ? AND event_id = ?"
        case .bytesBefore: "SELECT bytes_before FROM events WHERE position = ?"
        case .timestamp: "SELECT timestamp FROM events WHERE position = ?"
        default: "DELETE FROM events WHERE position >= ? AND position < ?"
        }
    }

    private var subscriptionSQL: String {
        switch self {
        case .insertSubscription:
            """
            INSERT INTO subscriptions (name, stream, dead_letter_stream, mode) VALUES (?, ?, ?, ?) RETURNING id
            """
        case .updateSubscription:
            """
            UPDATE subscriptions SET semantics = ?2, start_kind = ?3, start_value = ?4, is_filtered = ?5, \
            maximum_attempts = ?6, initial_delay = ?7, maximum_delay = ?8, jitter = ?9, visibility_timeout = ?10, \
            consumer_timeout = ?11, partition_hash = ?12, keeps_order = ?13 WHERE id = ?1
            """
        case .advanceSubscription:
            """
            UPDATE subscriptions SET last_epoch = ?2, position = ?3, next = ?4, missed = ?5, partitions = ?6 WHERE id = ?1
            """
        case .addEventType: "INSERT INTO subscription_event_types (subscription, event_type) VALUES (?, ?)"
        case .removeEventTypes: "DELETE FROM subscription_event_types WHERE subscription = ?"
        case .eventTypes: "SELECT event_type FROM subscription_event_types WHERE subscription = ?"
        default:
            """
            SELECT id, name, stream, dead_letter_stream, mode, semantics, start_kind, start_value, is_filtered, \
            maximum_attempts, initial_delay, maximum_delay, jitter, visibility_timeout, consumer_timeout, last_epoch, \
            position, next, missed, partitions, partition_hash, keeps_order FROM subscriptions ORDER BY id
            """
        }
    }

    private var deliverySQL: String {
        switch self {
        case .putConsumer:
            """
            INSERT OR REPLACE INTO consumer_offsets (subscription, consumer, kind, epoch, is_connected, registered_at, \
            last_seen_at, expires_at, position, next, missed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        case .removeConsumer: "DELETE FROM consumer_offsets WHERE subscription = ? AND consumer = ?"
        case .consumers:
            """
            SELECT consumer, kind, epoch, is_connected, registered_at, last_seen_at, expires_at, position, next, missed \
            FROM consumer_offsets WHERE subscription = ?
            """
        case .putDelivery:
            """
            INSERT OR REPLACE INTO deliveries (subscription, key, consumer, holder, due, span_start, span_end, scheduled, \
            remaining, attempts, first_failure, last_failure, failure, redriven_offset, redriven_timestamp, \
            redriven_id, redriven_type, redriven_version, redriven_size, redriven_correlation_id, redriven_causation_id, \
            redriven_headers, redriven_data, keys) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
            ?, ?)
            """
        case .removeDelivery: "DELETE FROM deliveries WHERE subscription = ? AND key = ?"
        case .removeDeliveriesOfConsumer: "DELETE FROM deliveries WHERE subscription = ? AND consumer = ?"
        default:
            """
            SELECT redriven_offset, redriven_timestamp, redriven_id, redriven_type, redriven_version, redriven_size, \
            redriven_correlation_id, redriven_causation_id, redriven_headers, redriven_data, key, consumer, holder, due, \
            span_start, span_end, scheduled, remaining, attempts, first_failure, last_failure, failure, keys \
            FROM deliveries WHERE subscription = ? ORDER BY key
            """
        }
    }

    private var partitionSQL: String {
        switch self {
        case .putPartition: "INSERT OR REPLACE INTO partitions (subscription, number, owner, epoch) VALUES (?, ?, ?, ?)"
        case .removePartitions: "DELETE FROM partitions WHERE subscription = ? AND number >= ?"
        default: "SELECT number, owner, epoch FROM partitions WHERE subscription = ?"
        }
    }

    private var auditSQL: String {
        switch self {
        case .addAuditEntry:
            """
            INSERT INTO dead_letter_audit (subscription, action, dead_letter, event_id, consumer, actor, reason, acted) \
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """
        default:
            """
            SELECT number, action, dead_letter, event_id, consumer, actor, reason, acted FROM dead_letter_audit \
            WHERE subscription = ? AND number >= ? ORDER BY number LIMIT ?
            """
        }
    }

    private var deadLetterSQL: String {
        switch self {
        case .addDeadLetter: "INSERT INTO dead_letters (stream, number, consumer, key, event) VALUES (?, ?, ?, ?, ?)"
        case .removeDeadLetter: "DELETE FROM dead_letters WHERE stream = ? AND number = ?"
        case .openDeadLetters:
            """
            SELECT number FROM dead_letters WHERE stream = ? AND number >= ? AND number < ? ORDER BY number LIMIT ?
            """
        case .parkedKeys:
            "SELECT key, min(event) FROM dead_letters WHERE stream = ? AND key IS NOT NULL GROUP BY key"
        case .countDeadLetters: "SELECT count(*) FROM dead_letters WHERE stream = ? AND consumer IS ?"
        default: "DELETE FROM dead_letters WHERE stream = ? AND number < ?"
        }
    }
}
