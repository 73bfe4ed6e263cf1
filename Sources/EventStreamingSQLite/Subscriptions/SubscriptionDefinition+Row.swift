import EventStreamingCore

extension SubscriptionDefinition {
    /// Binds what can be changed of a subscription, after its number.
    func bind(to update: SQLiteStatement) {
        update.bind(2, semantics.rawValue)
        update.bind(3, start.kind)
        update.bind(4, start.value)
        update.bind(5, eventTypes == nil ? 0 : 1)
        update.bind(6, Int64(retry.maximumAttempts))
        update.bind(7, retry.initialDelay.clampedNanoseconds)
        update.bind(8, retry.maximumDelay.clampedNanoseconds)
        update.bind(9, double: retry.jitter)
        update.bind(10, visibilityTimeout.clampedNanoseconds)
        update.bind(11, consumerTimeout.clampedNanoseconds)
        update.bind(12, mode == .consumerGroup ? PartitionKey.algorithm : nil)
        update.bind(13, keepsOrder ? 1 : 0)
    }

    /// The definition in the row of the query `allSubscriptions`.
    init(_ row: SQLiteStatement, stream: StreamName, eventTypes: Set<String>) throws {
        guard let id = try? SubscriptionID(row.text(1)),
            let mode = SubscriptionMode(rawValue: row.text(4)),
            let semantics = DeliverySemantics(rawValue: row.text(5)),
            let start = StartPosition(kind: row.text(6), value: row.int(7))
        else { throw Damage(what: "the table of subscriptions has a row that this store did not write") }
        if mode == .consumerGroup, row.optionalText(20) != PartitionKey.algorithm {
            throw EventStreamingError(
                .unsupported,
                "The events of group '\(id)' are shared out by \(row.optionalText(20) ?? "an unknown hash"), which this "
                    + "version does not have; use the version that created the group."
            )
        }
        var retry = RetryPolicy()
        retry.maximumAttempts = Int(clamping: row.int(9))
        retry.initialDelay = .nanoseconds(row.int(10))
        retry.maximumDelay = .nanoseconds(row.int(11))
        retry.jitter = row.double(12)
        try self.init(
            id: id,
            stream: stream,
            mode: mode,
            partitions: Int(clamping: row.int(19)),
            keepsOrder: row.int(21) != 0,
            semantics: semantics,
            start: start,
            eventTypes: row.int(8) == 0 ? nil : eventTypes,
            retry: retry,
            visibilityTimeout: .nanoseconds(row.int(13)),
            consumerTimeout: .nanoseconds(row.int(14))
        )
    }
}

extension StartPosition {
    /// What the kind of a position at an event begins with; the event's id follows.
    private static let eventPrefix = "event/"

    fileprivate var kind: String {
        switch self {
        case .beginning: "beginning"
        case .latest: "latest"
        case .offset: "offset"
        case .timestamp: "timestamp"
        case .event(let id): Self.eventPrefix + id.description
        }
    }

    fileprivate var value: Int64? {
        switch self {
        case .beginning, .latest, .event: nil
        case .offset(let offset): offset.rawValue
        case .timestamp(let time): time.nanosecondsSinceEpoch
        }
    }

    fileprivate init?(kind: String, value: Int64) {
        switch kind {
        case "beginning": self = .beginning
        case "latest": self = .latest
        case "offset": self = .offset(StreamOffset(value))
        case "timestamp": self = .timestamp(Timestamp(nanosecondsSinceEpoch: value))
        default:
            guard kind.hasPrefix(Self.eventPrefix), let id = MessageID(String(kind.dropFirst(Self.eventPrefix.count)))
            else { return nil }
            self = .event(id)
        }
    }
}
