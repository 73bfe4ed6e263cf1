/// What became of the events of a lease; applied all together or not at all.
public struct Settlement: Sendable, Hashable {
    /// The holder of the lease.
    public var holder: ConsumerRegistration
    /// The lease's epoch.
    public var leaseEpoch: UInt64
    /// Offsets that are finished.
    public var completed: [Range<StreamOffset>]
    /// Offsets that are given back, each with the reason.
    public var rejections: [Rejection]
    /// Whether everything else in the lease is given back, unconsumed and without counting an attempt.
    public var releasesRest: Bool
    /// Events that are marked as processed, in the same change; `nil` for none. Nothing is marked when the settlement is
    /// refused.
    public var processed: ProcessedEvents?
    /// Offsets among those completed that are marked as read, in the same change. Only in mode
    /// ``SubscriptionMode/readReceipt``; anything else is refused with `invalidArgument`. What has expired stays so.
    public var read: [Range<StreamOffset>] = []

    /// Creates a settlement that changes nothing yet.
    public init(
        of holder: ConsumerRegistration,
        leaseEpoch: UInt64,
        completed: [Range<StreamOffset>] = [],
        rejections: [Rejection] = [],
        releasesRest: Bool = false
    ) {
        self.holder = holder
        self.leaseEpoch = leaseEpoch
        self.completed = completed
        self.rejections = rejections
        self.releasesRest = releasesRest
    }
}

/// Offsets of a lease that were not finished, and what shall become of them.
public struct Rejection: Sendable, Hashable {
    /// What shall become of a rejected event.
    public enum Action: Sendable, Hashable {
        /// Deliver it again after `delay`, or after the delay of the subscription's ``RetryPolicy`` when `nil`. Counts
        /// as an attempt; after the last one the event goes to the dead-letter stream instead.
        case retry(after: Duration?)
        /// Put it into the dead-letter stream now.
        case deadLetter
    }

    /// The offsets rejected.
    public var offsets: Range<StreamOffset>
    /// What shall become of them.
    public var action: Action
    /// Why, for people: kept with the dead letter. At most ``maximumReasonLength`` bytes are kept.
    public var reason: String

    /// How many bytes of a reason are kept.
    public static let maximumReasonLength = 1000

    /// Creates a rejection.
    public init(offsets: Range<StreamOffset>, action: Action, reason: String) {
        self.offsets = offsets
        self.action = action
        self.reason = reason
    }
}
