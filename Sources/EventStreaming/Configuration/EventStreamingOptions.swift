public import CoreMetrics
public import EventStreamingCore
public import Logging
public import Tracing

/// Settings of the service as a whole; `streaming.options` in the configuration.
public struct EventStreamingOptions: Sendable {
    /// Limits on what comes from outside.
    public struct Limits: Sendable, Hashable {
        /// The most bytes an event may have when encoded. Defaults to 1 MB (1 000 000). At least 1.
        public var maximumPayloadBytes: Int = 1_000_000
        /// The most headers an event may have. Defaults to 64.
        public var maximumHeaders: Int = 64
        /// The most bytes the headers of an event may have together, names included. Defaults to 8192.
        public var maximumHeaderBytes: Int = 8192

        /// Creates the default limits.
        public init() {}
    }

    /// Limits on what comes from outside.
    public var limits = Limits()

    /// How long a graceful shutdown waits for handlers that are running, before it cancels them and gives back what
    /// they held. Defaults to 10 seconds. More than zero.
    public var shutdownTimeout: Duration = .seconds(10)

    /// How often what the streams' retention policies ask for is removed while the service runs. Defaults to one
    /// minute. More than zero.
    public var retentionInterval: Duration = .seconds(60)

    /// For how long it is remembered, exactly once, that an event was processed. An event that is delivered again later
    /// than that is processed again: no retry, outage or repeated append should take longer. What is older is removed in the
    /// background, every ``retentionInterval``. Defaults to 7 days. More than zero.
    public var processedEventRetention: Duration = .seconds(7 * 86_400)

    /// How often events are looked for that users did not read in time, while the service runs: an event expires at most so
    /// much later than ``SubscriptionConfiguration/onUnreadTimeout`` says. Also how often receipts of events that are gone
    /// are removed, and unread events are counted. Defaults to one minute. More than zero.
    public var unreadInterval: Duration = .seconds(60)

    /// Where log lines go. Defaults to the task's logger when the service is created, `Logger.current`.
    public var logger: Logger = .current

    /// Where metrics go. Defaults to the factory of the process, `MetricsSystem.factory`, when the service is created.
    public var metrics: (any MetricsFactory)?

    /// Where spans go. Defaults to the tracer of the process, `InstrumentationSystem.tracer`, when the service is
    /// created.
    public var tracer: (any Tracer)?

    /// The time. Defaults to the machine's clocks.
    public var clock: any EventStreamingClock = SystemClock()

    /// How events become bytes, for stores and transports that need bytes. Defaults to JSON.
    public var codec: any EventCodec = JSONEventCodec()

    /// Creates the default options.
    public init() {}
}
