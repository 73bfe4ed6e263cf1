import EventStreamingCore

/// How long to wait before trying again to reach the other side.
///
/// Each attempt that fails multiplies the time, up to the longest; each time is shortened by chance, so that those who
/// lost the same server do not come back all at once.
public struct ReconnectPolicy: Sendable, Hashable {
    /// The time before the first attempt. Defaults to 100 milliseconds. More than zero.
    public var shortestDelay: Duration = .milliseconds(100)
    /// The most time before an attempt. Defaults to 10 seconds. At least ``shortestDelay``.
    public var longestDelay: Duration = .seconds(10)
    /// Which part of the time is left to chance, 0 to 1. Defaults to 0.5: of 10 seconds, at least 5 are waited.
    public var jitter: Double = 0.5

    /// Creates the default policy.
    public init() {}

    /// The time to wait before an attempt, counted from 1.
    package func delay(beforeAttempt attempt: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return delay(beforeAttempt: attempt, using: &generator)
    }

    func delay(beforeAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let polling = PollingPolicy(shortestInterval: shortestDelay, longestInterval: longestDelay)
        let delay = polling.interval(afterQuestions: max(1, attempt) - 1)
        let chance = min(max(jitter, 0), 1)
        guard chance > 0 else { return delay }
        return delay * (1 - Double.random(in: 0...chance, using: &generator))
    }
}
