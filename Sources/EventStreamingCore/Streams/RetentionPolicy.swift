/// How long a persistent stream keeps its events: by age, by number, by size, or any combination.
///
/// An event goes as soon as one of the limits says so. Always the oldest go first, and never more of them than the
/// limits ask for. ``EventStreamStore/applyRetention(to:)`` does it; between two calls a stream may hold more.
public struct RetentionPolicy: Sendable, Hashable {
    /// The age from which on events go, by the wall clock; `nil` for no limit. More than zero.
    public var maximumAge: Duration?
    /// The most events that stay; `nil` for no limit. At least 1.
    public var maximumCount: Int?
    /// The most payload bytes that stay; `nil` for no limit. At least 1. Less than the newest event has means that even
    /// this one goes.
    public var maximumBytes: Int?

    /// Creates a policy with any combination of limits; by default none.
    public init(maximumAge: Duration? = nil, maximumCount: Int? = nil, maximumBytes: Int? = nil) {
        self.maximumAge = maximumAge
        self.maximumCount = maximumCount
        self.maximumBytes = maximumBytes
    }

    /// Nothing is ever removed. The default.
    public static let forever = RetentionPolicy()

    /// Events stay until they are older than this, for example `.maxAge(.days(90))`.
    public static func maxAge(_ age: Duration) -> RetentionPolicy { RetentionPolicy(maximumAge: age) }

    /// The newest events stay, at most this many.
    public static func maxCount(_ count: Int) -> RetentionPolicy { RetentionPolicy(maximumCount: count) }

    /// The newest events stay, as many as have together at most this many payload bytes.
    public static func maxBytes(_ bytes: Int) -> RetentionPolicy { RetentionPolicy(maximumBytes: bytes) }

    /// Whether the policy has no limit.
    public var isForever: Bool { self == .forever }
}

extension RetentionPolicy {
    /// Everything that is wrong with the limits; empty when they can be used.
    package var problems: [String] {
        var problems: [String] = []
        if let maximumAge, maximumAge <= .zero {
            problems.append("retention.maximumAge is \(maximumAge); use more than zero, or nil for no limit.")
        }
        for (name, value) in [("maximumCount", maximumCount), ("maximumBytes", maximumBytes)] {
            if let value, value < 1 {
                problems.append("retention.\(name) is \(value); use at least 1, or nil for no limit.")
            }
        }
        return problems
    }
}
