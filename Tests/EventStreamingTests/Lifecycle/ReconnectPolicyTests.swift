import Testing

@testable import EventStreaming

@Suite("The delays before reconnecting")
struct ReconnectPolicyTests {
    @Test("grow to the longest, and chance only shortens them")
    func growth() {
        var policy = ReconnectPolicy()
        policy.jitter = 0
        let delays = (1...10).map { policy.delay(beforeAttempt: $0) }
        #expect(delays.prefix(4) == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(delays.last == .seconds(10))
        policy.jitter = 0.5
        for (attempt, longest) in delays.enumerated() {
            let chosen = (0..<50).map { _ in policy.delay(beforeAttempt: attempt + 1) }
            #expect(chosen.allSatisfy { $0 <= longest && $0 >= longest * 0.49 })
            #expect(Set(chosen).count > 1)
        }
    }

    @Test("are delays whatever is asked", arguments: [Int.min, 0, 1_000_000, .max])
    func extremes(_ attempt: Int) {
        var policy = ReconnectPolicy()
        policy.jitter = 7
        let delay = policy.delay(beforeAttempt: attempt)
        #expect(delay >= .zero && delay <= .seconds(10))
    }
}
