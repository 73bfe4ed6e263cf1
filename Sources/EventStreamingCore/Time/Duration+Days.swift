extension Duration {
    /// So many days of 24 hours; more than a duration can tell become the longest one.
    public static func days(_ days: Int) -> Duration { .clamped(days, unit: 86_400) }

    /// So many hours; more than a duration can tell become the longest one.
    public static func hours(_ hours: Int) -> Duration { .clamped(hours, unit: 3600) }

    private static func clamped(_ count: Int, unit: Int64) -> Duration {
        let (seconds, isOverflowing) = Int64(count).multipliedReportingOverflow(by: unit)
        return .seconds(isOverflowing ? (count < 0 ? Int64.min : .max) : seconds)
    }
}
