public import EventStreamingCore

/// One registered consumer at a provider; see ``EventDeliveryProvider``.
///
/// Its calls are those of the store for this registration, with the same codes. After `consumerReplaced` or
/// `unknownConsumer` it is of no use any more: close it, and connect anew where that makes sense.
public protocol DeliveryConsumer: Sendable {
    /// The registration, whose epoch fences everything.
    var registration: ConsumerRegistration { get }

    /// What the consumer has to know of its subscription.
    var terms: ConsumerTerms { get }

    /// Leases the next events, at most `limit`, after it recorded a settlement where one is given. Does not wait: an empty
    /// result says until when there will be nothing, unless `onChange` is called.
    ///
    /// - Throws: as `EventStreamStore.dequeue(as:limit:settling:)`; `shuttingDown` or `shutDown`, with nothing recorded.
    func dequeue(limit: Int, settling settlement: Settlement?) async throws(EventStreamingError) -> DequeueResult

    /// Records what became of a lease's events. Possible while the provider shuts down.
    ///
    /// - Throws: as `EventStreamStore.settle(_:)`.
    func settle(_ settlement: Settlement) async throws(EventStreamingError)

    /// A sign of life, which extends leases. Due every ``ConsumerTerms/heartbeatInterval``.
    ///
    /// - Throws: as `SubscriptionStore.heartbeat(_:extending:)`.
    func heartbeat(extending leases: LeaseExtension) async throws(EventStreamingError)

    /// Marks events as read by the user whose name the consumer has.
    ///
    /// - Returns: How many were not read before.
    /// - Throws: as `ReadReceiptStore.markRead(_:by:of:)`; `unsupported` in other modes than
    ///   ``/EventStreamingCore/SubscriptionMode/readReceipt``.
    func markRead(_ selection: ReceiptSelection) async throws(EventStreamingError) -> Int

    /// Ends the registration; what it held is available to others at once. Once, later calls do nothing. Works in a
    /// cancelled task. Where the other side cannot be reached it returns all the same: leases end by themselves.
    func close() async
}
