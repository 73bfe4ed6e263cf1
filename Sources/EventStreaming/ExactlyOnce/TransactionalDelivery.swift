public import EventStreamingCore

/// What a handler that works in a transaction is told about the event, besides the event itself.
///
/// There is nothing to acknowledge: the event is finished when the transaction is committed, and delivered again when the
/// handler throws.
public struct TransactionalDelivery: Sendable {
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
    /// Which delivery of the event this is, from 1. The effects of earlier ones were rolled back.
    public var attempt: Int { source.lease.attempt }
    /// The subscription that delivers.
    public var subscription: SubscriptionID { source.consumer.plan.definition.id }
    /// The consumer delivered to.
    public var consumerID: ConsumerID { source.consumer.id }
    /// The workflow in which the event was emitted: the correlation id. `nil` for an event outside any.
    public var workflowID: WorkflowID? { source.lease.events[index].correlationID }
}
