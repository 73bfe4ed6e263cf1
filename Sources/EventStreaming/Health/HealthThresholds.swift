/// What is too much for a subscription, and too late: when its health is not `ok` any more.
public struct HealthThresholds: Sendable, Hashable {
    /// From how many events between a position and the end of the stream on it is `lagging`. Defaults to 10 000. At least 1;
    /// `nil` for any number.
    public var lagEvents: Int? = 10_000
    /// From which age of the oldest unfinished event on it is `lagging`. Defaults to 5 minutes. More than zero; `nil` for any
    /// age.
    public var lagTime: Duration? = .seconds(300)
    /// After how long without a finished event it is `stalled`, when there is work. Defaults to one minute. More than zero.
    /// Longer than a handler may take for one event, or a healthy subscription is reported.
    public var stallTime: Duration = .seconds(60)

    /// Creates the default thresholds.
    public init() {}
}
