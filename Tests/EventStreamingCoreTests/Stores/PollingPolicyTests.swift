import EventStreamingCore
import Testing

@Suite("Polling policy")
struct PollingPolicyTests {
    @Test("the interval doubles up to the longest")
    func doubling() {
        let policy = PollingPolicy(shortestInterval: .milliseconds(100), longestInterval: .seconds(1))
        let intervals = [0, 1, 2, 3, 4, 5, 100].map { policy.interval(afterQuestions: $0) }
        let expected = [100, 200, 400, 800, 1000, 1000, 1000].map { Duration.milliseconds($0) }
        #expect(intervals == expected)
    }

    @Test("bad intervals neither trap nor let anybody ask without a pause")
    func extremes() {
        let longest = Duration.seconds(Int64.max)
        #expect(
            PollingPolicy(shortestInterval: longest, longestInterval: longest).interval(afterQuestions: .max) == longest
        )
        let endless = PollingPolicy(shortestInterval: .nanoseconds(1), longestInterval: longest)
        #expect(endless.interval(afterQuestions: .max) > .days(365))
        for policy in [
            PollingPolicy(shortestInterval: .zero, longestInterval: .zero),
            PollingPolicy(shortestInterval: .seconds(-1), longestInterval: .seconds(-2)),
        ] {
            #expect(policy.interval(afterQuestions: 0) == .milliseconds(1))
            #expect(policy.interval(afterQuestions: -1) == .milliseconds(1))
        }
        let crossed = PollingPolicy(shortestInterval: .seconds(2), longestInterval: .seconds(1))
        #expect(crossed.interval(afterQuestions: 3) == .seconds(2))
    }
}
