public import EventStreamingCore

/// Settings of one subscription.
public struct SubscriptionConfiguration: Sendable {
    /// Which stream is followed, before names are resolved.
    enum Source: Sendable {
        case workflow(any Workflow.Type)
        case name(String)
    }

    var source: Source?
    var handler: SubscriptionHandler?
    var transactionalHandler: TransactionalHandler?
    var handledTypes: [String]? = []
    /// The types that were named, whose stored bytes can be decoded therefore.
    var knownTypes: [any Event.Type] = []

    /// Who gets which event. Defaults to `SubscriptionMode.broadcast`.
    public var mode: SubscriptionMode = .broadcast
    /// Into how many parts a consumer group shares out the events by their partition key: at most so many members work at
    /// once. Defaults to `nil`: 32. 1 to 1024, only with mode `SubscriptionMode.consumerGroup`. Fixed when the group is
    /// created; ``EventStreaming/repartition(_:into:)`` changes it.
    public var partitions: Int?
    /// Whether later events of a partition key wait while an earlier one is in the dead letters, until that is redriven or
    /// discarded; other keys go on. Defaults to `false`: they go on without it. Only with mode
    /// `SubscriptionMode.consumerGroup`, and not at most once.
    ///
    /// Those that wait are remembered, up to 8192 of a group: then no other key goes on either, and
    /// ``EventStreaming/health()`` says so. Each question for events costs a look at the open dead letters.
    public var keepsOrder = false
    /// How often an event may be seen. Defaults to what the stream says.
    ///
    /// `.exactlyOnce` needs ``handleInTransaction(_:_:)``, whose writes are committed with the event; in loops, only
    /// ``Delivery/acknowledge(writing:)`` finishes an event. `.exactlyOnce(.lockAndMark)` works with any handler and store,
    /// but a crash between an effect of the handler and the mark repeats the effect.
    public var semantics: DeliverySemantics?
    /// Where a position begins that does not exist yet: the subscription's in `SubscriptionMode.exclusive` mode, each
    /// new consumer's in the modes `SubscriptionMode.broadcast` and `SubscriptionMode.readReceipt`. Defaults to `StartPosition.beginning`.
    public var start: StartPosition = .beginning
    /// The names of the event types to deliver; others are passed over. Defaults to `nil`: all, or, where there are
    /// only typed handlers, the types handled.
    public var eventTypes: Set<String>?
    /// When an event is delivered again after a failure, and when it is given up.
    public var retry = RetryPolicy()
    /// How long an event may be unread after it was delivered, until ``onUnreadExpired`` says what becomes of it. Defaults to
    /// `nil`: for ever. More than zero to 365 days, only with mode `SubscriptionMode.readReceipt`. Looked at every
    /// ``EventStreamingOptions/unreadInterval``, so an event may stay unread for so much longer.
    public var onUnreadTimeout: Duration?
    /// What becomes of an event that was unread for longer than ``onUnreadTimeout``. Defaults to `nil`, which is
    /// `UnreadPolicy.requeue`: it is delivered again, as a reminder, until the attempts of ``retry`` are used up, and is then
    /// in the dead letters.
    public var onUnreadExpired: UnreadPolicy?
    /// How long a consumer may hold one event unfinished before it is taken back and delivered again. Also how long
    /// the events of a consumer that vanished stay hidden. Defaults to 30 seconds.
    public var visibilityTimeout: Duration = .seconds(30)
    /// How long a consumer lives without a sign of life. Defaults to 30 seconds.
    public var consumerTimeout: Duration = .seconds(30)
    /// The most events a consumer holds at once. Less is fetched while handling is slow, so that competing consumers
    /// get their share. Defaults to 256. 1 to 100 000.
    public var prefetch: Int = 256
    /// The most events that the subscription's handler works on at once. Defaults to 1, which keeps the order. 1 to
    /// 10 000. In a consumer group, events of one partition key stay in order with any number.
    public var maximumConcurrency: Int = 1
    /// When ``EventStreaming/health()`` reports the subscription as lagging or stalled.
    public var health = HealthThresholds()
    /// The consumer name under which the subscription's handler runs. Defaults to the subscription's name in
    /// `SubscriptionMode.broadcast` mode, where the name keeps the position: give every process one of its own. In
    /// `SubscriptionMode.exclusive` mode defaults to a new temporary name in every process. In `SubscriptionMode.readReceipt`
    /// mode it is the user, and a handler needs one.
    public var consumer: String?

    init() {}

    /// Follows the stream of a workflow's events.
    public mutating func stream<W: Workflow>(_ workflow: W.Type) {
        source = .workflow(workflow)
    }

    /// Follows the stream with this name, for example the dead-letter stream of another subscription.
    public mutating func stream(_ name: String) {
        source = .name(name)
    }

    /// Delivers only events of this type, and of those added by further calls.
    public mutating func include<E: Event>(_ type: E.Type) {
        eventTypes = (eventTypes ?? []).union([E.eventType])
        knownTypes.append(type)
    }

    // MARK: - Handlers

    /// Has every event handled by `handle` while the service runs.
    ///
    /// An event is finished when `handle` returns, unless it settled the delivery itself. When it throws, the event is
    /// delivered again by ``retry``. Replaces any handler set before.
    public mutating func handle(_ handle: @escaping @Sendable (Delivery) async throws -> Void) {
        handler = SubscriptionHandler(handle)
        handledTypes = nil
    }

    /// Has events of one type handled by `handle` while the service runs; may be called for several types.
    ///
    /// Without ``eventTypes``, only the types handled are delivered.
    public mutating func handle<E: Event>(
        _ type: E.Type,
        _ handle: @escaping @Sendable (E, Delivery) async throws -> Void
    ) {
        if handledTypes == nil {
            handler = nil
        }
        handler = SubscriptionHandler(type, handle, otherwise: handler)
        handledTypes = (handledTypes ?? []) + [E.eventType]
        knownTypes.append(type)
    }
}
