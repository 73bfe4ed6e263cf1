import EventStreamingCore
import Testing

@Suite("RetryPolicy")
struct RetryPolicyTests {
    @Test("without jitter the delay doubles up to its maximum")
    func doubling() {
        var policy = RetryPolicy()
        policy.jitter = 0
        policy.maximumDelay = .seconds(10)
        var generator = SystemRandomNumberGenerator()
        let delays = (1...6).map { policy.delay(afterAttempt: $0, using: &generator) }
        #expect(delays == [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(10), .seconds(10)])
    }

    @Test("jitter stays within its share", arguments: [0.0, 0.2, 0.5, 1.0])
    func jitter(share: Double) {
        var policy = RetryPolicy()
        policy.jitter = share
        policy.initialDelay = .seconds(10)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let delay = policy.delay(afterAttempt: 1, using: &generator)
            #expect(delay >= .seconds(10 * (1 - share)) - .nanoseconds(2))
            #expect(delay <= .seconds(10 * (1 + share)) + .nanoseconds(2))
        }
    }

    @Test("jitter varies the delay")
    func variation() {
        var generator = SystemRandomNumberGenerator()
        let delays = (0..<50).map { _ in RetryPolicy().delay(afterAttempt: 3, using: &generator) }
        #expect(Set(delays).count > 10)
    }

    @Test("any numbers are safe", arguments: [Int.min, -1, 0, 1, 2, 64, 1000, .max])
    func hostileNumbers(attempt: Int) {
        let durations: [Duration] = [
            .zero, .seconds(-1), .nanoseconds(1), .seconds(300), .seconds(Int64.max), .seconds(Int64.min),
        ]
        for initial in durations {
            for maximum in durations {
                for jitter in [0, 0.2, 1, -1, 2, 1e300, -1e300, Double.nan, .infinity, -.infinity] {
                    for word in [UInt64(0), .max, 1 << 63] {
                        var policy = RetryPolicy()
                        policy.initialDelay = initial
                        policy.maximumDelay = maximum
                        policy.jitter = jitter
                        var generator = FirstWordGenerator(word)
                        let delay = policy.delay(afterAttempt: attempt, using: &generator)
                        #expect(delay >= .zero)
                        #expect(delay <= .seconds(4_600_000_000))
                        if initial <= .zero || maximum <= .zero {
                            #expect(delay == .zero)
                        }
                    }
                }
            }
        }
    }

    @Test(
        "the longest durations there are",
        arguments: [Duration(attoseconds: .max), Duration(attoseconds: .min)]
    )
    func longestDurations(duration: Duration) {
        var policy = RetryPolicy()
        policy.initialDelay = duration
        policy.maximumDelay = duration
        var generator = SystemRandomNumberGenerator()
        #expect(policy.delay(afterAttempt: 3, using: &generator) >= .zero)
    }
}
