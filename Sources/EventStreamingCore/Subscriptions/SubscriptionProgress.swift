/// How far one position of a subscription has come: the shared one, or one consumer's.
public struct SubscriptionProgress: Sendable, Hashable {
    /// The subscription.
    public let subscription: SubscriptionID
    /// The consumer whose position this is; `nil` for the position that competing consumers share.
    public let consumer: ConsumerID?
    /// The contiguous completed watermark: every event before this offset is finished or dead-lettered.
    public let position: StreamOffset
    /// The offset the stream's next event will get.
    public let head: StreamOffset
    /// Events held by consumers.
    public let inFlight: Int
    /// Events that wait to be delivered again.
    public let waiting: Int
    /// Events in the dead-letter stream that were neither redriven nor discarded.
    public let deadLetters: Int
    /// How many events were removed from the stream, by its retention, a trim or for want of room, before they were
    /// finished at this position. Those that were never looked at count too, whether the filter wants them or not. Never
    /// goes back.
    public let missed: Int
    /// How many events of the stream are finished or dead-lettered, all before the ``position`` and those beyond it. Grows
    /// with every event that is, in whatever order; goes back only where the position is moved.
    public let finished: Int
    /// Of the ``waiting`` events, how many wait for their time.
    public let delayed: Int
    /// The first of the events that a consumer holds.
    public let held: HeldEvent?
    /// The event that failed and is delivered again next.
    public let retry: RetriedEvent?

    /// With ``SubscriptionDefinition/keepsOrder``, how many partition keys have an open dead letter.
    public let parkedKeys: Int
    /// Of the ``waiting`` events, how many wait behind an open dead letter of their partition key.
    public let behindParked: Int

    /// Events from the position to the stream's end.
    public var lag: Int { position.distance(to: head) }
    /// Whether there is nothing to do: all finished, nothing in flight, nothing waiting.
    public var isFinished: Bool { lag == 0 && inFlight == 0 && waiting == 0 }

    /// Creates a description of a position.
    public init(
        subscription: SubscriptionID,
        consumer: ConsumerID?,
        position: StreamOffset,
        head: StreamOffset,
        inFlight: Int,
        waiting: Int,
        deadLetters: Int,
        missed: Int = 0,
        finished: Int = 0,
        delayed: Int = 0,
        held: HeldEvent? = nil,
        retry: RetriedEvent? = nil,
        parkedKeys: Int = 0,
        behindParked: Int = 0
    ) {
        self.subscription = subscription
        self.consumer = consumer
        self.position = position
        self.head = head
        self.inFlight = inFlight
        self.waiting = waiting
        self.deadLetters = deadLetters
        self.missed = missed
        self.finished = finished
        self.delayed = delayed
        self.held = held
        self.retry = retry
        self.parkedKeys = parkedKeys
        self.behindParked = behindParked
    }
}

/// An event that a consumer holds.
public struct HeldEvent: Sendable, Hashable, Codable {
    /// The event's place in the stream.
    public let offset: StreamOffset
    /// Who holds it.
    public let consumer: ConsumerID
    /// Which delivery of it this is, from 1.
    public let attempt: Int

    /// Creates a description of an event that is held.
    public init(offset: StreamOffset, consumer: ConsumerID, attempt: Int) {
        self.offset = offset
        self.consumer = consumer
        self.attempt = attempt
    }
}

/// An event that failed and waits for its time.
public struct RetriedEvent: Sendable, Hashable, Codable {
    /// The event's place in the stream.
    public let offset: StreamOffset
    /// How often it was delivered.
    public let attempts: Int
    /// When it is delivered again, by the wall clock as it is now.
    public let due: Timestamp
    /// The reason of the last failure.
    public let reason: String
    /// When a delivery failed last.
    public let lastFailure: Timestamp

    /// Creates a description of an event that failed.
    public init(offset: StreamOffset, attempts: Int, due: Timestamp, reason: String, lastFailure: Timestamp) {
        self.offset = offset
        self.attempts = attempts
        self.due = due
        self.reason = reason
        self.lastFailure = lastFailure
    }
}
