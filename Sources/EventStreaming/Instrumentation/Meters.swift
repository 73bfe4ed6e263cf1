import CoreMetrics
import EventStreamingCore
import Metrics

/// The instruments of a stream.
struct StreamMeters: Sendable {
    private let dimensions: [(String, String)]
    let sent: Counter
    let sendDuration: Timer
    let removed: Counter

    init(stream: StreamName, factory: any MetricsFactory) {
        dimensions = [
            ("messaging.system", Telemetry.system),
            ("messaging.operation.name", "send"),
            ("messaging.operation.type", "send"),
            ("messaging.destination.name", stream.rawValue),
        ]
        sent = Counter(label: "messaging.client.sent.messages", dimensions: dimensions, factory: factory)
        sendDuration = Timer(
            label: "messaging.client.operation.duration",
            dimensions: dimensions,
            preferredDisplayUnit: .seconds,
            factory: factory
        )
        removed = Counter(
            label: "event_streaming_retention_removed_total",
            dimensions: [("stream", stream.rawValue)],
            factory: factory
        )
    }

    /// The counter of failed sends with this code; codes are few.
    func failures(_ factory: any MetricsFactory, error: String) -> Counter {
        Counter(
            label: "messaging.client.sent.messages",
            dimensions: dimensions + [("error.type", error)],
            factory: factory
        )
    }
}

/// The instruments of a subscription.
struct SubscriptionMeters: Sendable {
    let consumed: Counter
    let redelivered: Counter
    let rejected: Counter
    let missed: Counter
    let processDuration: Timer
    private let health: HealthMeters

    init(_ subscription: SubscriptionDefinition, factory: any MetricsFactory) {
        let own = [("subscription", subscription.id.rawValue), ("stream", subscription.stream.rawValue)]
        func dimensions(_ operation: String) -> [(String, String)] {
            [
                ("messaging.system", Telemetry.system),
                ("messaging.operation.name", operation),
                ("messaging.operation.type", operation),
                ("messaging.destination.name", subscription.stream.rawValue),
                ("messaging.destination.subscription.name", subscription.id.rawValue),
            ]
        }
        consumed = Counter(
            label: "messaging.client.consumed.messages",
            dimensions: dimensions("receive"),
            factory: factory
        )
        processDuration = Timer(
            label: "messaging.process.duration",
            dimensions: dimensions("process"),
            preferredDisplayUnit: .seconds,
            factory: factory
        )
        redelivered = Counter(label: "event_streaming_redeliveries_total", dimensions: own, factory: factory)
        rejected = Counter(label: "event_streaming_rejections_total", dimensions: own, factory: factory)
        missed = Counter(label: "event_streaming_missed_events_total", dimensions: own, factory: factory)
        health = HealthMeters(own, isGroup: subscription.mode == .consumerGroup, factory: factory)
    }

    /// Records how the subscription does.
    func record(_ observation: HealthObservation) {
        health.record(observation)
    }
}
