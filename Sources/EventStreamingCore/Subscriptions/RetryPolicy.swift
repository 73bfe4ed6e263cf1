/// When an event whose delivery failed is delivered again, and when it is given up.
///
/// The delay doubles with every attempt from ``initialDelay`` to ``maximumDelay`` and is then varied at random by
/// ``jitter``, so that events that failed together do not return together. After ``maximumAttempts`` deliveries the
/// event goes to the subscription's dead-letter stream.
public struct RetryPolicy: Sendable, Hashable {
    /// How often an event is delivered at most, the first time included. Defaults to 5. At least 1.
    public var maximumAttempts: Int = 5
    /// The delay after the first failed attempt. Defaults to 1 second.
    public var initialDelay: Duration = .seconds(1)
    /// The longest delay before jitter. Defaults to 5 minutes.
    public var maximumDelay: Duration = .seconds(300)
    /// By which part of itself a delay may be longer or shorter, from 0 to 1. Defaults to 0.2.
    public var jitter: Double = 0.2

    /// Creates the default policy.
    public init() {}

    /// The delay after the failure of attempt number `attempt`, counted from 1.
    ///
    /// Any numbers are safe: the result is at least zero, and at most ``maximumDelay`` plus its jitter.
    public func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let limit = max(0, maximumDelay.clampedNanoseconds)
        var nanoseconds = min(limit, max(0, initialDelay.clampedNanoseconds))
        var remaining = max(1, attempt) - 1
        while remaining > 0, nanoseconds > 0, nanoseconds < limit {
            let (doubled, isOverflowing) = nanoseconds.multipliedReportingOverflow(by: 2)
            nanoseconds = isOverflowing ? limit : min(limit, doubled)
            remaining -= 1
        }
        let share = jitter.isFinite ? min(1, max(0, jitter)) : 0
        // 53 random bits as a number from 0 to below 1: whatever the generator gives, this takes one step.
        let random = Double(generator.next() >> 11) * 0x1p-53
        let factor = 1 + share * (2 * random - 1)
        // 2^62 nanoseconds are 146 years; the conversion cannot overflow below that.
        return .nanoseconds(Int64(min(Double(nanoseconds) * factor, 4.6e18)))
    }
}
