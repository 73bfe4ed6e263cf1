#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Reads what is written down of subscriptions.
enum SubscriptionRows {
    static func definition(
        _ row: Rows,
        _ entry: SubscriptionEntry
    ) throws(EventStreamingError) -> SubscriptionDefinition {
        var retry = RetryPolicy()
        retry.maximumAttempts = Int(row.int64(0, 9))
        retry.initialDelay = .nanoseconds(row.int64(0, 10))
        retry.maximumDelay = .nanoseconds(row.int64(0, 11))
        retry.jitter = row.double(0, 12)
        return try SubscriptionDefinition(
            id: entry.name,
            stream: entry.stream.name,
            mode: entry.mode,
            partitions: Int(clamping: row.int64(0, 17)),
            keepsOrder: row.bool(0, 19),
            semantics: row.word(0, 5),
            start: start(row.text(0, 6), row.int64(0, 7), row.optionalID(0, 16)),
            eventTypes: row.isNull(0, 8) ? nil : Set((HeaderText.headers(of: row.bytes(0, 8)) ?? [:]).keys),
            retry: retry,
            visibilityTimeout: .nanoseconds(row.int64(0, 13)),
            consumerTimeout: .nanoseconds(row.int64(0, 14))
        )
    }

    private static func start(_ kind: String, _ value: Int64, _ event: MessageID?) -> StartPosition {
        switch kind {
        case "latest": .latest
        case "offset": .offset(StreamOffset(value))
        case "timestamp": .timestamp(Timestamp(nanosecondsSinceEpoch: value))
        case "event": event.map { .event($0) } ?? .beginning
        default: .beginning
        }
    }

    /// The kind of a start, its number and its event.
    static func columns(_ start: StartPosition) -> (kind: String, value: Int64, event: MessageID?) {
        switch start {
        case .beginning: ("beginning", 0, nil)
        case .latest: ("latest", 0, nil)
        case .offset(let offset): ("offset", offset.rawValue, nil)
        case .timestamp(let time): ("timestamp", time.nanosecondsSinceEpoch, nil)
        case .event(let id): ("event", 0, id)
        }
    }

    static func consumer(_ rows: Rows, _ row: Int) throws(EventStreamingError) -> ConsumerRecord {
        ConsumerRecord(
            id: try rows.name(row, 0),
            kind: try rows.word(row, 1),
            epoch: UInt64(bitPattern: rows.int64(row, 2)),
            isConnected: rows.bool(row, 3),
            registeredAt: Timestamp(nanosecondsSinceEpoch: rows.int64(row, 4)),
            lastSeenAt: Timestamp(nanosecondsSinceEpoch: rows.int64(row, 5)),
            expiresAt: .nanoseconds(rows.int64(row, 6)),
            position: rows.int64(row, 7),
            next: rows.int64(row, 8),
            missed: rows.int64(row, 9)
        )
    }

    static func delivery(_ rows: Rows, _ row: Int) throws(EventStreamingError) -> DeliveryRecord {
        let deadline = Duration.nanoseconds(rows.int64(row, 3))
        let (first, end) = (rows.int64(row, 4), max(rows.int64(row, 4), rows.int64(row, 5)))
        var failure: Delivery.Failure?
        if let begin = rows.optionalInt64(row, 9), let last = rows.optionalInt64(row, 10) {
            failure = Delivery.Failure(
                first: Timestamp(nanosecondsSinceEpoch: begin),
                last: Timestamp(nanosecondsSinceEpoch: last),
                reason: rows.text(row, 11)
            )
        }
        var delivery = Delivery(
            phase: rows.optionalInt64(row, 2).map { .leased(holder: UInt64(bitPattern: $0), expiry: deadline) }
                ?? .waiting(due: deadline),
            span: first..<end,
            scheduled: rows.isNull(row, 6) ? OffsetRanges(first..<end) : ranges(rows.bytes(row, 6)),
            remaining: rows.isNull(row, 7) ? OffsetRanges(first..<end) : ranges(rows.bytes(row, 7)),
            attempts: Int(rows.int64(row, 8)),
            failure: failure,
            redriven: try rows.isNull(row, 12)
                ? nil : Delivery.Redriven(StoredEventBytes.read(rows.bytes(row, 12)))
        )
        if !rows.isNull(row, 13) {
            delivery.keys = EventKeys([PartitionKey](rows.bytes(row, 13)), of: delivery.scheduled)
        }
        return DeliveryRecord(
            consumer: rows.isNull(row, 1) ? nil : try rows.name(row, 1),
            key: UInt64(bitPattern: rows.int64(row, 0)),
            delivery: delivery
        )
    }

    static func partition(_ rows: Rows, _ row: Int) -> PartitionRecord {
        PartitionRecord(
            number: Int(clamping: rows.int64(row, 0)),
            owner: rows.optionalInt64(row, 1).map { UInt64(bitPattern: $0) },
            epoch: UInt64(bitPattern: rows.int64(row, 2))
        )
    }

    // MARK: - Ranges

    private static func ranges(_ bytes: UnsafeRawBufferPointer) -> OffsetRanges {
        var ranges = OffsetRanges()
        for position in stride(from: 0, to: bytes.count - 15, by: 16) {
            let low = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int64.self))
            let high = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: Int64.self))
            if low <= high {
                ranges.formUnion(OffsetRanges(low..<high))
            }
        }
        return ranges
    }

    /// Writes ranges; `false` where they are just the span.
    static func write(_ ranges: OffsetRanges, of span: Range<Int64>, to writer: inout BinaryWriter) -> Bool {
        let parts = ranges.ranges
        if parts.count == 1, parts[0] == span { return false }
        for range in parts {
            writer.write(range.lowerBound)
            writer.write(range.upperBound)
        }
        return true
    }
}
#endif
