/// An event that a subscription gave up, with everything needed to understand it and to try again.
public struct DeadLetter: Sendable {
    /// How many ranges of numbers a call of ``DeadLetterStore`` may name.
    public static let maximumRangesPerCall = 1000

    /// The place in the dead-letter stream.
    public let number: StreamOffset
    /// The event as it was in its stream, its id, offset, payload and headers unchanged.
    public let event: StoredEvent
    /// The stream the event came from.
    public let stream: StreamName
    /// The subscription that gave it up.
    public let subscription: SubscriptionID
    /// The consumer whose position it belongs to; `nil` where competing consumers share one.
    public let consumer: ConsumerID?
    /// The reason of the last failure.
    public let reason: String
    /// How often it was delivered.
    public let attempts: Int
    /// When a delivery failed first.
    public let firstFailure: Timestamp
    /// When a delivery failed last.
    public let lastFailure: Timestamp

    /// Creates a dead letter.
    public init(
        number: StreamOffset,
        event: StoredEvent,
        stream: StreamName,
        subscription: SubscriptionID,
        consumer: ConsumerID?,
        reason: String,
        attempts: Int,
        firstFailure: Timestamp,
        lastFailure: Timestamp
    ) {
        self.number = number
        self.event = event
        self.stream = stream
        self.subscription = subscription
        self.consumer = consumer
        self.reason = reason
        self.attempts = attempts
        self.firstFailure = firstFailure
        self.lastFailure = lastFailure
    }
}

// MARK: - As an event of the dead-letter stream

extension DeadLetter {
    private enum Header {
        static let prefix = "dead-letter-"
        /// How often the prefix may be repeated: what is given up over and over must not grow without end.
        static let maximumNesting = 4
        static let deepestPrefix = String(repeating: prefix, count: maximumNesting)
        static let eventID = "dead-letter-event-id"
        static let offset = "dead-letter-offset"
        static let timestamp = "dead-letter-timestamp"
        static let causationID = "dead-letter-causation-id"
        static let stream = "dead-letter-stream"
        static let subscription = "dead-letter-subscription"
        static let consumer = "dead-letter-consumer"
        static let reason = "dead-letter-reason"
        static let attempts = "dead-letter-attempts"
        static let firstFailure = "dead-letter-first-failure"
        static let lastFailure = "dead-letter-last-failure"
        static let all = [
            eventID, offset, timestamp, causationID, stream, subscription, consumer, reason, attempts, firstFailure,
            lastFailure,
        ]
    }

    /// The dead letter as an event: the same type, payload and correlation, caused by the event that was given up, with
    /// everything else in headers that begin with `dead-letter-`. Headers of the event that begin so themselves, as those
    /// of a dead letter do that was given up in turn, get the beginning once more, up to four times; what is older is
    /// left out.
    public func record(id: MessageID) -> NewEvent {
        var headers: [String: String] = [:]
        for (name, value) in event.headers where !name.hasPrefix(Header.deepestPrefix) {
            headers[name.hasPrefix(Header.prefix) ? Header.prefix + name : name] = value
        }
        headers[Header.eventID] = event.id.description
        headers[Header.offset] = event.offset.description
        headers[Header.timestamp] = String(event.timestamp.nanosecondsSinceEpoch)
        headers[Header.causationID] = event.causationID?.description
        headers[Header.stream] = stream.rawValue
        headers[Header.subscription] = subscription.rawValue
        headers[Header.consumer] = consumer?.rawValue
        headers[Header.reason] = reason
        headers[Header.attempts] = String(attempts)
        headers[Header.firstFailure] = String(firstFailure.nanosecondsSinceEpoch)
        headers[Header.lastFailure] = String(lastFailure.nanosecondsSinceEpoch)
        return NewEvent(
            id: id,
            type: event.type,
            payload: event.payload,
            size: event.size,
            context: EventContext(correlationID: event.correlationID, causationID: event.id, headers: headers)
        )
    }

    /// Reads a dead letter back from its event; `nil` when the headers are not those of a dead letter.
    public init?(record: StoredEvent) {
        let headers = record.headers
        func number(_ name: String) -> Int64? { headers[name].flatMap { Int64($0) } }
        guard let id = headers[Header.eventID].flatMap({ MessageID($0) }),
            let offset = number(Header.offset),
            let timestamp = number(Header.timestamp),
            let stream = headers[Header.stream].flatMap({ try? StreamName($0) }),
            let subscription = headers[Header.subscription].flatMap({ try? SubscriptionID($0) }),
            let attempts = number(Header.attempts).flatMap({ Int(exactly: $0) }),
            let first = number(Header.firstFailure),
            let last = number(Header.lastFailure)
        else { return nil }
        var ownHeaders: [String: String] = [:]
        for (name, value) in headers where !Header.all.contains(name) {
            let isNested = name.hasPrefix(Header.prefix + Header.prefix)
            ownHeaders[isNested ? String(name.dropFirst(Header.prefix.count)) : name] = value
        }
        let original = EventContext(
            correlationID: record.correlationID,
            causationID: headers[Header.causationID].flatMap { MessageID($0) },
            headers: ownHeaders
        )
        self.init(
            number: record.offset,
            event: StoredEvent(
                offset: StreamOffset(offset),
                timestamp: Timestamp(nanosecondsSinceEpoch: timestamp),
                id: id,
                type: record.type,
                payload: record.payload,
                size: record.size,
                context: original
            ),
            stream: stream,
            subscription: subscription,
            consumer: headers[Header.consumer].flatMap { try? ConsumerID($0) },
            reason: headers[Header.reason] ?? "",
            attempts: attempts,
            firstFailure: Timestamp(nanosecondsSinceEpoch: first),
            lastFailure: Timestamp(nanosecondsSinceEpoch: last)
        )
    }
}
