import EventStreamingCore
import Testing

@Suite("Days and hours")
struct DurationDaysTests {
    @Test("are seconds")
    func values() {
        #expect(Duration.days(90) == .seconds(7_776_000))
        #expect(Duration.hours(24) == .days(1))
        #expect(Duration.days(-1) == .seconds(-86_400))
        #expect(Duration.days(0) == .zero)
    }

    @Test("stop at the longest duration", arguments: [Int.max, .min])
    func extremes(count: Int) {
        let longest = Duration.seconds(count < 0 ? Int64.min : .max)
        #expect(Duration.days(count) == longest)
        #expect(Duration.hours(count) == longest)
    }
}
