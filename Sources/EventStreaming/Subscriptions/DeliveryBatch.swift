public import EventStreamingCore

/// Deliveries handed out together: the fastest way to consume.
///
/// The whole batch is acknowledged when the loop asks for the next one, except for deliveries that were settled by
/// themselves.
public struct DeliveryBatch: Sendable, RandomAccessCollection {
    let handout: Handout

    /// 0.
    public var startIndex: Int { 0 }
    /// The number of deliveries.
    public var endIndex: Int { handout.indices.count }

    /// The events as their stream keeps them, without the means to settle them one by one. No copies are made.
    public var records: ArraySlice<StoredEvent> { handout.source.lease.events[handout.indices] }

    /// The delivery at `position`.
    public subscript(position: Int) -> Delivery {
        Delivery(handout.source, at: handout.indices.lowerBound + position)
    }

    /// Says that every delivery of the batch that was not settled by itself is finished, and returns when the store has
    /// recorded it.
    ///
    /// - Throws: `EventStreamingError` as ``Delivery/acknowledge()``.
    public func acknowledge() async throws(EventStreamingError) {
        try await handout.source.consumer.acknowledge(handout.key)
    }

    /// Says that the user has read every event of the batch that was not settled by itself, and returns when the store has
    /// recorded it; in mode `SubscriptionMode.readReceipt`. What was not acknowledged before is, in the same change.
    ///
    /// - Throws: `EventStreamingError` as ``Delivery/markAsRead()``.
    public func markAsRead() async throws(EventStreamingError) {
        try await handout.source.consumer.markAsRead(handout)
    }
}
