/// How often a store is asked for news without a hint, by consumers that found nothing.
///
/// For stores whose hints can get lost: another process appended, a connection broke. The first question comes after the
/// shortest interval; every answer that there is nothing doubles it, up to the longest one.
public struct PollingPolicy: Sendable, Hashable {
    /// The time to the first question. More than zero.
    public var shortestInterval: Duration
    /// The time between questions that nothing comes of for long: how late an event can be whose hint was lost. At least
    /// ``shortestInterval``.
    public var longestInterval: Duration

    /// Creates a policy.
    public init(shortestInterval: Duration, longestInterval: Duration) {
        self.shortestInterval = shortestInterval
        self.longestInterval = longestInterval
    }

    /// How long to wait after so many questions in a row that nothing came of.
    public func interval(afterQuestions count: Int) -> Duration {
        // Whatever a store says, nobody asks without a pause.
        let shortest = max(shortestInterval, .milliseconds(1))
        let longest = max(longestInterval, shortest)
        var interval = shortest
        for _ in 0..<max(0, min(count, 64)) {
            // Compared before it is doubled: durations overflow, too.
            guard interval < longest / 2 else { return longest }
            interval *= 2
        }
        return interval
    }
}
