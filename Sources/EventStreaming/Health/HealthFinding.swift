public import EventStreamingCore

/// One thing that is the matter with a subscription.
public struct HealthFinding: Sendable, Hashable, Codable {
    /// How bad it is.
    public let status: HealthStatus
    /// What it is.
    public let cause: HealthCause
    /// The consumer whose position it is about; `nil` where it is about all.
    public let consumer: ConsumerID?
    /// Since when.
    public let since: Timestamp
    /// What is the matter, and what to do, in words.
    public let message: String

    init(_ status: HealthStatus, _ cause: HealthCause, consumer: ConsumerID? = nil, since: Timestamp) {
        self.status = status
        self.cause = cause
        self.consumer = consumer
        self.since = since
        message = cause.message
    }
}
