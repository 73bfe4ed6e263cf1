#if PostgreSQL
/// How long to wait before the next attempt: doubling, with a random part, so that the instances of a service do not
/// return to a server that came back in one crowd.
struct Backoff: Sendable {
    private static let shortest = Duration.milliseconds(50)
    private static let longest = Duration.seconds(5)

    private var failures = 0

    mutating func succeed() {
        failures = 0
    }

    /// The time to wait after one more failure: between half and the whole of what the number of failures gives.
    mutating func fail() -> Duration {
        var delay = Self.shortest
        for _ in 0..<min(failures, 10) where delay < Self.longest {
            delay = min(Self.longest, delay * 2)
        }
        failures += 1
        return delay * Double.random(in: 0.5...1)
    }
}
#endif
