public import EventStreamingCore

/// Deliveries handed out together: the fastest way to consume.
///
/// The whole batch is acknowledged when the loop asks for the next one, except for deliveries that were settled by
/// themselves.
public struct DeliveryBatch: Sendable, RandomAccessCollection {
    let consumer: Consumer
    let lease: Lease
    let key: DeliveryKey

    /// 0.
    public var startIndex: Int { 0 }
    /// The number of deliveries.
    public var endIndex: Int { key.indices.count }

    /// The events as their stream keeps them, without the means to settle them one by one. No copies are made.
    public var records: ArraySlice<StoredEvent> { lease.events[key.indices] }

    /// The delivery at `position`.
    public subscript(position: Int) -> Delivery {
        let index = key.indices.lowerBound + position
        return consumer.delivery(lease, DeliveryKey(lease: key.lease, indices: index..<index + 1))
    }

    /// Says that every delivery of the batch that was not settled by itself is finished, and returns when the store has
    /// recorded it.
    ///
    /// - Throws: ``EventStreamingError`` as ``Delivery/acknowledge()``.
    public func acknowledge() async throws(EventStreamingError) {
        try await consumer.acknowledge(key)
    }
}
