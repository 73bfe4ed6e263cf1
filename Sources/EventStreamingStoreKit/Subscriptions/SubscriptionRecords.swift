package import EventStreamingCore

/// A subscription's own numbers, as a store writes them down.
package struct SubscriptionRecord: Sendable, Hashable {
    /// The last epoch given out.
    package var lastKey: UInt64
    /// The contiguous completed watermark of competing consumers.
    package var position: Int64
    /// The lowest offset that competing consumers were never handed.
    package var next: Int64
    /// How many events competing consumers missed because they were removed.
    package var missed: Int64
    /// Into how many partitions a consumer group shares out the events; 0 in other modes.
    package var partitions: Int

    package init(lastKey: UInt64, position: Int64, next: Int64, missed: Int64, partitions: Int) {
        self.lastKey = lastKey
        self.position = position
        self.next = next
        self.missed = missed
        self.partitions = partitions
    }
}

/// A consumer, as a store writes it down.
package struct ConsumerRecord: Sendable {
    package var id: ConsumerID
    package var kind: ConsumerKind
    package var epoch: UInt64
    package var isConnected: Bool
    package var registeredAt: Timestamp
    package var lastSeenAt: Timestamp
    /// When the registration ends without another sign of life, by the store's monotonic clock.
    package var expiresAt: Duration
    /// The contiguous completed watermark; without meaning where consumers compete.
    package var position: Int64
    /// The lowest offset that it was never handed; without meaning where consumers compete.
    package var next: Int64
    /// How many events it missed because they were removed; without meaning where consumers compete.
    package var missed: Int64

    package init(
        id: ConsumerID,
        kind: ConsumerKind,
        epoch: UInt64,
        isConnected: Bool,
        registeredAt: Timestamp,
        lastSeenAt: Timestamp,
        expiresAt: Duration,
        position: Int64,
        next: Int64,
        missed: Int64
    ) {
        self.id = id
        self.kind = kind
        self.epoch = epoch
        self.isConnected = isConnected
        self.registeredAt = registeredAt
        self.lastSeenAt = lastSeenAt
        self.expiresAt = expiresAt
        self.position = position
        self.next = next
        self.missed = missed
    }

    func differsOnlyInLifeSigns(from other: ConsumerRecord) -> Bool {
        kind == other.kind && epoch == other.epoch && isConnected == other.isConnected
            && registeredAt == other.registeredAt && position == other.position && next == other.next
            && missed == other.missed
    }
}

/// A lease, or offsets that wait to be delivered again, as a store writes it down.
package struct DeliveryRecord: Sendable {
    /// The consumer whose position it belongs to; `nil` where consumers compete for one.
    package var consumer: ConsumerID?
    /// Unique in the subscription.
    package var key: UInt64
    package var delivery: Delivery

    package init(consumer: ConsumerID?, key: UInt64, delivery: Delivery) {
        self.consumer = consumer
        self.key = key
        self.delivery = delivery
    }
}

/// Everything that a store writes down of a subscription, besides its definition.
package struct SubscriptionRecords: Sendable {
    package var subscription: SubscriptionRecord
    package var consumers: [ConsumerRecord] = []
    package var deliveries: [DeliveryRecord] = []
    package var partitions: [PartitionRecord] = []

    package init(
        subscription: SubscriptionRecord,
        consumers: [ConsumerRecord] = [],
        deliveries: [DeliveryRecord] = [],
        partitions: [PartitionRecord] = []
    ) {
        self.subscription = subscription
        self.consumers = consumers
        self.deliveries = deliveries
        self.partitions = partitions
    }
}

/// What has to be written down after a change.
package struct SubscriptionChanges: Sendable {
    package internal(set) var subscription: SubscriptionRecord
    /// Consumers that are new or changed.
    package internal(set) var consumers: [ConsumerRecord] = []
    /// Consumers that are gone, and with them every delivery of theirs.
    package internal(set) var removedConsumers: [ConsumerID] = []
    /// Deliveries that are new or changed.
    package internal(set) var deliveries: [DeliveryRecord] = []
    /// Deliveries that are gone. Some were perhaps never written down.
    package internal(set) var removedDeliveries: [UInt64] = []
    /// Partitions that are new or changed. When there are any, those from ``SubscriptionRecord/partitions`` on are gone.
    package internal(set) var partitions: [PartitionRecord] = []

    init(subscription: SubscriptionRecord) {
        self.subscription = subscription
    }
}
