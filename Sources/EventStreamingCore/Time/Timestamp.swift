/// A moment by the wall clock, in nanoseconds since 1970-01-01T00:00:00Z.
///
/// Recorded with events and compared when reading from a time. Never used to decide about leases, order or expiry,
/// because wall clocks jump.
public struct Timestamp: Sendable, Hashable, Comparable, Codable {
    /// Nanoseconds since the Unix epoch; leap seconds are not counted.
    public let nanosecondsSinceEpoch: Int64

    /// Takes the moment as nanoseconds since the Unix epoch.
    public init(nanosecondsSinceEpoch: Int64) {
        self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
    }

    /// Orders moments by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
    }

    /// The moment `duration` later, or the last one that can be told when it lies beyond.
    public static func + (time: Timestamp, duration: Duration) -> Timestamp {
        let (sum, isOverflowing) = time.nanosecondsSinceEpoch.addingReportingOverflow(duration.clampedNanoseconds)
        return Timestamp(nanosecondsSinceEpoch: isOverflowing ? (duration < .zero ? .min : .max) : sum)
    }

    /// The moment `duration` earlier, or the first one that can be told when it lies before.
    public static func - (time: Timestamp, duration: Duration) -> Timestamp {
        let (sum, isOverflowing) = time.nanosecondsSinceEpoch.subtractingReportingOverflow(duration.clampedNanoseconds)
        return Timestamp(nanosecondsSinceEpoch: isOverflowing ? (duration < .zero ? .max : .min) : sum)
    }

    /// The time from `earlier` to `later`.
    public static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        let (difference, isOverflowing) = later.nanosecondsSinceEpoch
            .subtractingReportingOverflow(earlier.nanosecondsSinceEpoch)
        return .nanoseconds(isOverflowing ? (later < earlier ? .min : .max) : difference)
    }

    /// Reads nanoseconds since the epoch from a number.
    public init(from decoder: any Decoder) throws {
        self.init(nanosecondsSinceEpoch: try decoder.singleValueContainer().decode(Int64.self))
    }

    /// Writes nanoseconds since the epoch as a number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanosecondsSinceEpoch)
    }
}

// MARK: - Text

extension Timestamp: CustomStringConvertible {
    /// The moment in UTC by RFC 3339 with milliseconds, for example `2026-11-23T08:55:44.120Z`.
    public var description: String {
        let seconds = floorDivide(nanosecondsSinceEpoch, 1_000_000_000)
        let days = floorDivide(seconds, 86_400)
        let second = seconds - days * 86_400
        let milliseconds = (nanosecondsSinceEpoch &- seconds &* 1_000_000_000) / 1_000_000
        let date = Self.civilDate(daysSinceEpoch: days)
        return "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))T"
            + "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2)).\(pad(milliseconds, 3))Z"
    }

    /// The date of a day in the proleptic Gregorian calendar, by Howard Hinnant's `civil_from_days`
    /// ("chrono-Compatible Low-Level Date Algorithms").
    private static func civilDate(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSinceEpoch + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    value >= 0 ? value / divisor : -((-(value + 1)) / divisor) - 1
}

private func pad(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Duration {
    /// The duration in whole nanoseconds, kept within what 64 bits can hold.
    package var clampedNanoseconds: Int64 {
        // Not by `components`, which traps for durations of more seconds than 64 bits can hold.
        Int64(clamping: attoseconds / 1_000_000_000)
    }
}
