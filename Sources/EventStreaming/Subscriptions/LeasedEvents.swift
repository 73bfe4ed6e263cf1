import EventStreamingCore

/// A lease that a consumer holds, shared by the deliveries made of it: one object for all of them.
final class LeasedEvents: Sendable {
    let lease: Lease
    let consumer: Consumer

    init(_ lease: Lease, of consumer: Consumer) {
        self.lease = lease
        self.consumer = consumer
    }
}

/// Events of one lease that were handed out together.
struct Handout: Sendable {
    let source: LeasedEvents
    let indices: Range<Int>

    var key: DeliveryKey { DeliveryKey(lease: source.lease.epoch, indices: indices) }
}
