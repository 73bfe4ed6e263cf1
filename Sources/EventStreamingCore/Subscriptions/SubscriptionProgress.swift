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
    /// Events in the dead-letter stream that were not redriven.
    public let deadLetters: Int
    /// How many events were removed from the stream, by its retention, a trim or for want of room, before they were
    /// finished at this position. Those that were never looked at count too, whether the filter wants them or not. Never
    /// goes back.
    public let missed: Int

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
        missed: Int = 0
    ) {
        self.subscription = subscription
        self.consumer = consumer
        self.position = position
        self.head = head
        self.inFlight = inFlight
        self.waiting = waiting
        self.deadLetters = deadLetters
        self.missed = missed
    }
}
