public import CQRS
public import EventStreamingCore
public import Tracing

/// One event on its way to a consumer, and the means to say what became of it.
///
/// In a loop a delivery is acknowledged when the loop asks for the next one; in a handler, when the handler returns. Say
/// it explicitly where that is too early or too late. Exactly one of ``acknowledge()`` and
/// ``reject(_:reason:)`` has an effect; a second call throws code `alreadySettled`. In mode `SubscriptionMode.readReceipt` an
/// acknowledged event is delivered, and unread until ``markAsRead()``.
public struct Delivery: Sendable {
    private let source: LeasedEvents
    private let index: Int

    init(_ source: LeasedEvents, at index: Int) {
        self.source = source
        self.index = index
    }

    /// The event itself.
    public var event: any Event { source.lease.events[index].payload.event }
    /// The event as its stream keeps it: id, offset, time, correlation, headers.
    public var record: StoredEvent { source.lease.events[index] }
    /// Which delivery of the event this is, from 1. A repetition after a failure or a crash has a higher number.
    public var attempt: Int { source.lease.attempt }
    /// How many events were removed from the stream before this position had finished them, so far: by the stream's
    /// retention, a trim, or for want of room. Grows from one delivery to another when events were missed in between.
    public var missedEvents: Int { source.lease.missed }

    var key: DeliveryKey { DeliveryKey(lease: source.lease.epoch, indices: index..<index + 1) }
    var needsSettlement: Bool { source.lease.needsSettlement }
    private var consumer: Consumer { source.consumer }

    /// Whether it was acknowledged or rejected, or is not held any more.
    var isSettled: Bool { needsSettlement ? consumer.isSettled(key) : true }

    /// The subscription that delivers.
    public var subscription: SubscriptionID { consumer.plan.definition.id }
    /// The consumer delivered to.
    public var consumerID: ConsumerID { consumer.id }
    /// The workflow in which the event was emitted: the correlation id. `nil` for an event outside any.
    public var workflowID: WorkflowID? { source.lease.events[index].correlationID }
    /// The partition of the event in a consumer group; `nil` in other modes.
    public var partition: Int? {
        let definition = consumer.plan.definition
        return definition.mode == .consumerGroup ? PartitionKey(of: record).partition(of: definition.partitions) : nil
    }
    /// The trace in which the event was emitted, to link spans to.
    public var traceContext: ServiceContext { consumer.traceContext(of: record) }

    /// The event as the type `E`; `nil` when it is of another type.
    public func event<E: Event>(as type: E.Type) -> E? { event as? E }

    // MARK: - What follows from it

    /// Sends commands that follow from the event. In a handler, the event becomes their cause; while the service drains,
    /// they are still accepted.
    public var commands: CommandBus { consumer.messaging.commands }
    /// Sends queries.
    public var queries: QueryBus { consumer.messaging.queries }
    /// Emits events that follow from the event. In a handler they belong to the same workflow, and the event becomes
    /// their cause; while the service drains, they are still accepted.
    public var emitter: EventEmitter { consumer.messaging.emitter }

    // MARK: - Finishing

    /// Says that the event is finished, and returns when the store has recorded it.
    ///
    /// At most once this does nothing: the event counted as finished when it was handed out.
    ///
    /// - Throws: `EventStreamingError` with code `alreadySettled`; `leaseExpired` when the delivery was taken back, so
    ///   that the event is delivered again; `consumerReplaced`; `shutDown`.
    public func acknowledge() async throws(EventStreamingError) {
        guard needsSettlement else { return }
        try await consumer.settle(key, of: record, as: nil, reason: "")
    }

    /// Makes writes of the consumer's own and says that the event is finished, in one transaction of the store: the effect
    /// and the checkpoint are committed together, or not at all. So the effect is made once for each event, however
    /// often the event is delivered.
    ///
    /// The store first makes sure that the delivery is still held; when it is not, nothing is written. When `write` throws,
    /// or the store cannot be reached, the delivery stays open. Where the outcome is unknown, a second call either finds
    /// it undone and does it, or throws `leaseExpired` or `alreadySettled`.
    ///
    /// - Parameter write: Writes with what the store adds to `StoreTransaction`. Runs on a thread of the store, must not
    ///   wait, and may be repeated as `TransactionalStore` says.
    /// - Returns: What `write` returns.
    /// - Throws: what `write` throws, or as ``acknowledge()``; `unsupported` where the store has no transactions, and at
    ///   most once, where the event counted as finished when it was handed out.
    public func acknowledge<Result: Sendable>(
        writing write: @escaping @Sendable (any StoreTransaction) throws -> Result
    ) async throws -> Result {
        guard needsSettlement else {
            throw EventStreamingError(
                .unsupported,
                "At most once an event is finished when it is handed out; nothing can be committed with its checkpoint."
            )
        }
        return try await consumer.settle(key, of: record, writing: write)
    }

    /// Says that the user has read the event, and returns when the store has recorded it; in mode
    /// `SubscriptionMode.readReceipt`.
    ///
    /// A delivery in hand is acknowledged by that, too, in the same change. One that was acknowledged before, also by a loop
    /// that asked for the next, is only marked; a second call changes nothing. So a delivery may be kept and marked
    /// later, for as long as the event is kept; ``EventStreaming/markAsRead(_:of:by:)-(MessageID,_,_)`` does the same by its
    /// id.
    ///
    /// - Throws: `EventStreamingError` with code `unsupported` in another mode; `leaseExpired` or `notDelivered` when the
    ///   delivery was rejected, or taken or given back before it was acknowledged, so that the event is delivered again, or
    ///   when the stream does not keep the event any more; `receiptExpired` when the time for reading it has passed;
    ///   `unknownConsumer`; `consumerReplaced`; `shutDown`; or what the store reports. After `storeUnavailable` and `timedOut`
    ///   it is unknown whether it was recorded: call it again.
    public func markAsRead() async throws(EventStreamingError) {
        try await consumer.markAsRead(Handout(source: source, indices: index..<index + 1))
    }

    /// Says that the event was not finished, and returns when the store has recorded it.
    ///
    /// - Parameters:
    ///   - action: What shall become of it: `.requeue` to be delivered again by the subscription's retry policy,
    ///     `.retry(after:)` after a given delay, `.deadLetter` to be given up. Defaults to `.requeue`.
    ///   - reason: Why, for people; kept with the dead letter.
    /// - Throws: as ``acknowledge()``; at most once always `alreadySettled`; `invalidArgument` for a delay below zero or
    ///   of more than 365 days, which leaves the delivery open.
    public func reject(_ action: Rejection.Action = .requeue, reason: String = "rejected")
        async throws(EventStreamingError)
    {
        guard needsSettlement else {
            throw EventStreamingError(
                .alreadySettled,
                "At most once an event is finished when it is handed out; it cannot be rejected."
            )
        }
        try await consumer.settle(key, of: record, as: action, reason: reason)
    }
}

extension Rejection.Action {
    /// Deliver it again after the delay of the subscription's retry policy.
    public static var requeue: Rejection.Action { .retry(after: nil) }
}
