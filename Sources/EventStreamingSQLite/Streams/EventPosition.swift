/// The key of an event: the number of its stream and its offset in one integer.
enum EventPosition {
    /// How many events a stream may ever have: more than could be appended in thirty years at a thousand in a millisecond.
    static let offsetLimit: Int64 = 1 << 40
    /// How many streams a database may ever have.
    static let streamLimit: Int64 = 1 << 22

    /// The key of the event at `offset`; offsets outside what a stream can have are brought to its ends.
    static func of(_ stream: Int64, _ offset: Int64) -> Int64 {
        stream << 40 | min(max(0, offset), offsetLimit - 1)
    }

    /// The keys of a range of offsets.
    static func range(_ stream: Int64, _ offsets: Range<Int64>) -> Range<Int64> {
        let start = stream << 40
        return start + offsets.lowerBound..<start + offsets.upperBound
    }

    static func offset(_ position: Int64) -> Int64 {
        position & (offsetLimit - 1)
    }
}
