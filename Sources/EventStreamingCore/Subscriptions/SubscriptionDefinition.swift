/// What a store must know about a subscription.
public struct SubscriptionDefinition: Sendable, Hashable {
    /// The subscription's name.
    public var id: SubscriptionID
    /// The stream it follows.
    public var stream: StreamName
    /// Who gets which event: ``SubscriptionMode/broadcast`` keeps a position for each consumer,
    /// ``SubscriptionMode/exclusive`` one for all of them, ``SubscriptionMode/consumerGroup`` one for all, whose members
    /// share out ``partitions``.
    public var mode: SubscriptionMode
    /// Into how many parts a consumer group shares out the events, by their ``PartitionKey``. Without meaning in other
    /// modes. Fixed when the subscription is created; see ``SubscriptionStore/repartition(_:into:)``.
    public var partitions: Int
    /// Whether later events of a partition key wait while an earlier one is an open dead letter. Only in mode
    /// ``SubscriptionMode/consumerGroup``, and not at most once.
    public var keepsOrder: Bool
    /// How often an event may be seen.
    public var semantics: DeliverySemantics
    /// Where a new position begins.
    public var start: StartPosition
    /// The names of the event types delivered; `nil` for all. Others are passed over and count as finished.
    public var eventTypes: Set<String>?
    /// What happens after a failed delivery.
    public var retry: RetryPolicy
    /// How long a lease lasts when nobody extends it.
    public var visibilityTimeout: Duration
    /// How long a consumer lives without a heartbeat.
    public var consumerTimeout: Duration

    /// The stream that gets the events that were given up: the subscription's name followed by `-dead-letters`.
    public let deadLetterStream: StreamName

    /// Creates a definition.
    ///
    /// - Throws: ``EventStreamingError`` with code `invalidName` when the name leaves no room for the name of its
    ///   dead-letter stream.
    public init(
        id: SubscriptionID,
        stream: StreamName,
        mode: SubscriptionMode,
        partitions: Int = 32,
        keepsOrder: Bool = false,
        semantics: DeliverySemantics = .atLeastOnce,
        start: StartPosition = .beginning,
        eventTypes: Set<String>? = nil,
        retry: RetryPolicy = RetryPolicy(),
        visibilityTimeout: Duration = .seconds(30),
        consumerTimeout: Duration = .seconds(30)
    ) throws(EventStreamingError) {
        self.id = id
        self.stream = stream
        self.mode = mode
        self.partitions = partitions
        self.keepsOrder = keepsOrder
        self.semantics = semantics
        self.start = start
        self.eventTypes = eventTypes
        self.retry = retry
        self.visibilityTimeout = visibilityTimeout
        self.consumerTimeout = consumerTimeout
        deadLetterStream = try StreamName(id.rawValue + "-dead-letters")
    }
}
