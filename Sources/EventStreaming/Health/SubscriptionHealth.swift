public import EventStreamingCore

/// How well a subscription does, why, and since when.
public struct SubscriptionHealth: Sendable, Hashable, Codable {
    /// What was measured.
    public struct Measures: Sendable, Hashable, Codable {
        /// When.
        public let time: Timestamp
        /// How many consumers are connected.
        public let consumers: Int
        /// Events from the slowest position to the end of the stream.
        public let lag: Int
        /// When the oldest unfinished event was appended; `nil` when there is none. Where the subscription has a filter, it
        /// may be one that nobody has passed over yet.
        public let oldest: Timestamp?
        /// Events that consumers hold.
        public let inFlight: Int
        /// Events that wait to be delivered again.
        public let waiting: Int
        /// Dead letters that are open.
        public let deadLetters: Int
        /// With ``SubscriptionConfiguration/keepsOrder``, partition keys that have open dead letters.
        public let parkedKeys: Int

        /// The age of the oldest unfinished event, in seconds; 0 when there is none.
        public var lagSeconds: Double { oldest.map { max(.zero, time - $0) / .seconds(1) } ?? 0 }
    }

    /// The subscription.
    public let subscription: SubscriptionID
    /// The stream it follows.
    public let stream: StreamName
    /// How well it does: the worst of the ``findings``.
    public let status: HealthStatus
    /// Since when it does so. What the store knows counts, for example when a consumer was seen last; other things
    /// since they were seen first by this service.
    public let since: Timestamp
    /// What is the matter, the worst first; nothing when it is `ok`.
    public let findings: [HealthFinding]
    /// What was measured last; `nil` when the store could never be asked.
    public let measures: Measures?

    /// Why it is not `ok`; `nil` when it is.
    public var cause: HealthCause? { findings.first?.cause }
    /// What is the matter, and what to do, in words.
    public var message: String { findings.first?.message ?? "Nothing is the matter." }
}
