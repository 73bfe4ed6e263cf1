import EventStreamingCore
import Testing

@Suite("StreamOffset")
struct StreamOffsetTests {
    @Test("is never negative", arguments: [Int64.min, -1, 0])
    func negative(value: Int64) {
        #expect(StreamOffset(value) == .zero)
    }

    @Test(
        "advancing stays within what there can be",
        arguments: [
            (Int64(0), 0, Int64(0)), (0, 1, 1), (5, -3, 2), (5, -5, 0), (5, -6, 0), (5, .min, 0), (0, .max, .max),
            (.max, 1, .max), (.max, .max, .max), (.max, .min, 0), (.max, -1, .max - 1),
        ] as [(Int64, Int, Int64)]
    )
    func advancing(value: Int64, distance: Int, expected: Int64) {
        #expect(StreamOffset(value).advanced(by: distance).rawValue == expected)
    }

    @Test("the distance between any two can be told")
    func distance() {
        #expect(StreamOffset.zero.distance(to: StreamOffset(.max)) == .max)
        #expect(StreamOffset(.max).distance(to: .zero) == -.max)
        #expect(StreamOffset(7).distance(to: StreamOffset(4)) == -3)
    }

    @Test("is in order of its number, which is its text")
    func order() {
        #expect(StreamOffset(2) < StreamOffset(10))
        #expect(StreamOffset(10).description == "10")
    }
}
