import EventStreamingCore
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "text of known moments",
        arguments: [
            (Int64(0), 0, "1970-01-01T00:00:00.000Z"),
            (-1, 0, "1969-12-31T23:59:59.000Z"),
            (0, -1, "1969-12-31T23:59:59.999Z"),
            (0, 999_999_999, "1970-01-01T00:00:00.999Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000Z"),
            (951_868_800, 0, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800, 0, "2024-02-29T00:00:00.000Z"),
            (1_735_689_599, 0, "2024-12-31T23:59:59.000Z"),
            (-2_203_891_200, 0, "1900-03-01T00:00:00.000Z"),
            (-2_203_891_201, 0, "1900-02-28T23:59:59.000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000Z"),
            (1_795_424_144, 120_000_000, "2026-11-23T08:55:44.120Z"),
            (9_223_372_036, 854_775_807, "2262-04-11T23:47:16.854Z"),
            (-9_223_372_036, 0, "1677-09-21T00:12:44.000Z"),
        ] as [(Int64, Int64, String)]
    )
    func text(seconds: Int64, nanoseconds: Int64, text: String) {
        let time = Timestamp(nanosecondsSinceEpoch: seconds * 1_000_000_000 + nanoseconds)
        #expect(time.description == text)
    }

    @Test("text of the first moment that can be told")
    func firstMoment() {
        #expect(Timestamp(nanosecondsSinceEpoch: .min).description == "1677-09-21T00:12:43.145Z")
    }

    @Test("adding and subtracting durations stays within what can be told")
    func saturation() {
        let first = Timestamp(nanosecondsSinceEpoch: .min)
        let last = Timestamp(nanosecondsSinceEpoch: .max)
        let zero = Timestamp(nanosecondsSinceEpoch: 0)
        #expect(last + .nanoseconds(1) == last)
        #expect(first - .nanoseconds(1) == first)
        #expect(first + .nanoseconds(-1) == first)
        #expect(last - .nanoseconds(-1) == last)
        for huge in [Duration.seconds(Int64.max), .nanoseconds(Int64.max)] {
            #expect(zero + huge == last)
            #expect(first + huge >= zero - .nanoseconds(1))
            #expect(last + huge == last)
            #expect(first - huge == first)
        }
        for huge in [Duration.seconds(Int64.min), .nanoseconds(Int64.min)] {
            #expect(zero + huge == first)
            #expect(first + huge == first)
            #expect(last - huge == last)
        }
    }

    @Test(
        "the longest durations there are",
        arguments: [Duration(attoseconds: .max), Duration(attoseconds: .min)]
    )
    func longestDurations(duration: Duration) {
        let zero = Timestamp(nanosecondsSinceEpoch: 0)
        #expect(zero + duration == Timestamp(nanosecondsSinceEpoch: duration < .zero ? .min : .max))
        // -Int64.max, one nanosecond after the first moment, when the duration is cut down to Int64.max.
        #expect(zero - duration == Timestamp(nanosecondsSinceEpoch: duration < .zero ? .max : -.max))
    }

    @Test("differences stay within what can be told")
    func differences() {
        let first = Timestamp(nanosecondsSinceEpoch: .min)
        let last = Timestamp(nanosecondsSinceEpoch: .max)
        #expect(last - first == .nanoseconds(Int64.max))
        #expect(first - last == .nanoseconds(Int64.min))
        #expect((first + .seconds(5)) - first == .seconds(5))
        #expect(first - (first + .milliseconds(5)) == .milliseconds(-5))
    }

    @Test("sub-nanosecond parts of a duration are left out")
    func resolution() {
        let zero = Timestamp(nanosecondsSinceEpoch: 0)
        #expect(zero + Duration(attoseconds: 1_999_999_999) == Timestamp(nanosecondsSinceEpoch: 1))
        #expect(zero + Duration(attoseconds: 1) == zero)
    }

    @Test("the system's clock tells the present, and its uptime never goes back")
    func systemClock() async throws {
        let clock = SystemClock()
        #expect(clock.now > Timestamp(nanosecondsSinceEpoch: 1_735_689_600_000_000_000))
        var last = clock.uptime
        for _ in 0..<100 {
            let next = clock.uptime
            #expect(next >= last)
            last = next
        }
        try await clock.sleep(until: clock.uptime)
        let task = Task { try await clock.sleep(until: Duration(attoseconds: .max)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
