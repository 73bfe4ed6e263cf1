import CoreMetrics
import EventStreamingCore
import Metrics

/// The instruments that show how a subscription does. Recorded some seconds apart, from what the store says.
struct HealthMeters: Sendable {
    private let status: Gauge
    private let lagEvents: Gauge
    private let lagSeconds: Gauge
    private let inFlight: Gauge
    private let waiting: Gauge
    private let deadLetters: Gauge
    private let consumers: Gauge
    private let ownerChanges: Counter
    /// Only of groups.
    private let unowned: Gauge?
    /// Only of groups.
    private let parkedKeys: Gauge?

    init(_ dimensions: [(String, String)], isGroup: Bool, factory: any MetricsFactory) {
        func gauge(_ name: String) -> Gauge {
            Gauge(label: "event_streaming_\(name)", dimensions: dimensions, factory: factory)
        }
        status = gauge("subscription_status")
        lagEvents = gauge("subscription_lag_events")
        lagSeconds = gauge("subscription_lag_seconds")
        inFlight = gauge("subscription_in_flight")
        waiting = gauge("subscription_waiting")
        deadLetters = gauge("dead_letters")
        consumers = gauge("subscription_consumers")
        ownerChanges = Counter(label: "event_streaming_lease_changes_total", dimensions: dimensions, factory: factory)
        unowned = isGroup ? gauge("partitions_without_owner") : nil
        parkedKeys = isGroup ? gauge("parked_keys") : nil
    }

    /// Records an observation. While the store cannot be asked, only that.
    func record(_ observation: HealthObservation) {
        let health = observation.health
        status.record(health.status.severity)
        if case .storeUnavailable = health.cause { return }
        if observation.ownerChanges > 0 {
            ownerChanges.increment(by: observation.ownerChanges)
        }
        if let count = observation.unowned {
            unowned?.record(count)
        }
        guard let measures = health.measures else { return }
        lagEvents.record(measures.lag)
        lagSeconds.record(measures.lagSeconds)
        inFlight.record(measures.inFlight)
        waiting.record(measures.waiting)
        deadLetters.record(measures.deadLetters)
        consumers.record(measures.consumers)
        parkedKeys?.record(measures.parkedKeys)
    }
}
