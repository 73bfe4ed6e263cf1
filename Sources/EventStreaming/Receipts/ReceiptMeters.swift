import CoreMetrics
import EventStreamingCore
import Metrics

/// The instruments of a subscription that keeps receipts. None is by user: there may be very many.
struct ReceiptMeters: Sendable {
    let unread: Gauge
    let unreadOfOne: Gauge
    let users: Gauge
    let oldest: Gauge
    let requeued: Counter
    let deadLettered: Counter
    let dropped: Counter

    init(_ subscription: SubscriptionDefinition, factory: any MetricsFactory) {
        let own = [("subscription", subscription.id.rawValue), ("stream", subscription.stream.rawValue)]
        func gauge(_ label: String) -> Gauge { Gauge(label: label, dimensions: own, factory: factory) }
        func expired(_ policy: UnreadPolicy) -> Counter {
            Counter(
                label: "event_streaming_unread_expired_total",
                dimensions: own + [("policy", policy.rawValue)],
                factory: factory
            )
        }
        unread = gauge("event_streaming_unread_events")
        unreadOfOne = gauge("event_streaming_unread_events_of_one_consumer")
        users = gauge("event_streaming_unread_consumers")
        oldest = gauge("event_streaming_unread_oldest_seconds")
        requeued = expired(.requeue)
        deadLettered = expired(.deadLetter)
        dropped = expired(.drop)
    }

    /// Counts what became of events that were unread for too long.
    func record(_ expiry: UnreadExpiry) {
        requeued.increment(by: expiry.requeued)
        deadLettered.increment(by: expiry.deadLettered)
        dropped.increment(by: expiry.dropped)
    }

    /// Records what is unread.
    ///
    /// - Parameter receipts: The oldest first.
    func record(_ receipts: [ReadReceipt], at now: Timestamp) {
        var counts: [ConsumerID: Int] = [:]
        for receipt in receipts {
            counts[receipt.consumer, default: 0] += receipt.offsets.lowerBound.distance(to: receipt.offsets.upperBound)
        }
        unread.record(counts.values.reduce(0, +))
        unreadOfOne.record(counts.values.max() ?? 0)
        users.record(counts.count)
        let age = receipts.first.map { now - $0.deliveredAt } ?? .zero
        oldest.record(max(.zero, age) / .seconds(1))
    }
}

extension Telemetry {
    /// Counts what became of events that were unread for too long.
    func record(_ expiry: UnreadExpiry, of subscription: SubscriptionID) {
        guard isMeasuring else { return }
        receipts[subscription]?.record(expiry)
    }

    /// Records what is unread in a subscription.
    func record(_ unread: [ReadReceipt], of subscription: SubscriptionID, at now: Timestamp) {
        guard isMeasuring else { return }
        receipts[subscription]?.record(unread, at: now)
    }
}
