public import EventStreamingCore

/// Which subscription to consume, and as whom.
public struct ConsumerRequest: Sendable, Hashable {
    /// The subscription.
    public var subscription: SubscriptionID
    /// The consumer's name; `nil` for a temporary one, whose name is made up and whose position goes with it.
    public var consumer: ConsumerID?
    /// Where a consumer begins that has no position yet, in modes in which each has its own; `nil` for where the
    /// subscription says.
    public var start: StartPosition?
    /// The names of the event types to hand out; `nil`, the default, for all that the subscription has. Others count as
    /// finished. Only in mode ``/EventStreamingCore/SubscriptionMode/broadcast``; code `unsupported` in others.
    public var eventTypes: Set<String>?
    /// In which form payloads are wanted. Defaults to ``/EventStreamingCore/PayloadForm/value``: as they are, bytes where
    /// the provider has nothing else. ``/EventStreamingCore/PayloadForm/encoded`` for bytes only; an event that cannot be
    /// encoded goes to the dead letters.
    public var payloads: PayloadForm = .value

    /// Creates a request.
    public init(subscription: SubscriptionID, consumer: ConsumerID? = nil, start: StartPosition? = nil) {
        self.subscription = subscription
        self.consumer = consumer
        self.start = start
    }
}

/// What a consumer has to know of its subscription.
public struct ConsumerTerms: Sendable, Hashable {
    /// The stream that is followed.
    public var stream: StreamName
    /// Who gets which event.
    public var mode: SubscriptionMode
    /// How often an event may be seen. At most once, nothing is to be settled.
    public var semantics: DeliverySemantics
    /// Into how many parts a consumer group shares out the events.
    public var partitions: Int
    /// How long a lease lasts when nobody extends it.
    public var visibilityTimeout: Duration
    /// How long a consumer lives without a sign of life.
    public var consumerTimeout: Duration

    /// Creates terms.
    public init(
        stream: StreamName,
        mode: SubscriptionMode,
        semantics: DeliverySemantics,
        partitions: Int,
        visibilityTimeout: Duration,
        consumerTimeout: Duration
    ) {
        self.stream = stream
        self.mode = mode
        self.semantics = semantics
        self.partitions = partitions
        self.visibilityTimeout = visibilityTimeout
        self.consumerTimeout = consumerTimeout
    }

    /// The terms of a subscription.
    public init(_ definition: SubscriptionDefinition) {
        self.init(
            stream: definition.stream,
            mode: definition.mode,
            semantics: definition.semantics,
            partitions: definition.mode == .consumerGroup ? definition.partitions : 0,
            visibilityTimeout: definition.visibilityTimeout,
            consumerTimeout: definition.consumerTimeout
        )
    }

    /// How often a sign of life is due: three times in the shorter of the two timeouts.
    public var heartbeatInterval: Duration { min(consumerTimeout, visibilityTimeout) / 3 }
}
