public import EventStreamingCore

/// How well all subscriptions of a service do.
public struct HealthReport: Sendable, Hashable, Codable {
    /// The worst status of all; `ok` when there is no subscription.
    public let status: HealthStatus
    /// When this was found out.
    public let time: Timestamp
    /// Each subscription, in order of their names.
    public let subscriptions: [SubscriptionHealth]

    init(time: Timestamp, _ subscriptions: [SubscriptionHealth]) {
        self.time = time
        self.subscriptions = subscriptions.sorted { $0.subscription < $1.subscription }
        status = subscriptions.map(\.status).max() ?? .ok
    }
}
