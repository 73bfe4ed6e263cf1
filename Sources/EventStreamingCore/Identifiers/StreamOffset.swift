/// The place of an event in its stream: 0 for the first, and one more for every event after it, without gaps.
public struct StreamOffset: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The number of events before this place since the stream began.
    public let rawValue: Int64

    /// The place of the first event of a stream.
    public static let zero = StreamOffset(0)

    /// Takes `rawValue` as the offset; a negative one becomes 0.
    public init(_ rawValue: Int64) {
        self.rawValue = max(0, rawValue)
    }

    /// The offset as a decimal number.
    public var description: String { String(rawValue) }

    /// Orders offsets by their place in the stream.
    public static func < (left: StreamOffset, right: StreamOffset) -> Bool { left.rawValue < right.rawValue }

    /// The offset `distance` places further, kept within 0 and the largest possible one.
    public func advanced(by distance: Int) -> StreamOffset {
        let (sum, isOverflowing) = rawValue.addingReportingOverflow(Int64(distance))
        return StreamOffset(isOverflowing ? (distance < 0 ? 0 : .max) : sum)
    }

    /// How many places `other` is further than this one; negative when it is before.
    public func distance(to other: StreamOffset) -> Int {
        Int(other.rawValue - rawValue)
    }

    /// Reads an offset from a number.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(Int64.self))
    }

    /// Writes the number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
