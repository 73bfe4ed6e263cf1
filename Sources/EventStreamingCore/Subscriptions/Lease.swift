/// The exclusive right to process a contiguous range of a stream for a while.
///
/// A lease costs the same for one event as for a thousand. It ends when every offset in it is settled, when it is
/// released, or when it expires; from then on everything that refers to it is refused.
public struct Lease: Sendable {
    /// The consumer that holds it.
    public let holder: ConsumerRegistration
    /// The lease's epoch: grows with every lease of the subscription, so a late holder can be told from the present one.
    public let epoch: UInt64
    /// The offsets covered, those of events that the filter passed over included.
    public let offsets: Range<StreamOffset>
    /// The events to process, in order.
    public let events: [StoredEvent]
    /// Which delivery of these events this is, from 1.
    public let attempt: Int
    /// Whether the event returns from the dead-letter stream. Its offset may be trimmed or behind the position.
    public let isRedriven: Bool
    /// Whether the events must be settled. `false` at most once: they counted as finished when they were handed out.
    public let needsSettlement: Bool
    /// How many events this position has missed so far, as ``SubscriptionProgress/missed`` tells. More than with the lease
    /// before says that events were removed in between.
    public let missed: Int

    /// Creates a lease; only stores do.
    public init(
        holder: ConsumerRegistration,
        epoch: UInt64,
        offsets: Range<StreamOffset>,
        events: [StoredEvent],
        attempt: Int,
        isRedriven: Bool = false,
        needsSettlement: Bool = true,
        missed: Int = 0
    ) {
        self.holder = holder
        self.epoch = epoch
        self.offsets = offsets
        self.events = events
        self.attempt = attempt
        self.isRedriven = isRedriven
        self.needsSettlement = needsSettlement
        self.missed = missed
    }
}
