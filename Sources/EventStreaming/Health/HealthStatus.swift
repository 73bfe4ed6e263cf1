/// How well a subscription does, from the best to the worst.
public enum HealthStatus: String, Sendable, Hashable, Codable, Comparable, CaseIterable {
    /// There is nothing to do, or what there is moves, and is not more than ``HealthThresholds`` allow.
    case ok
    /// Events are finished, but too late, or too many wait.
    case lagging
    /// There is work, and nothing was finished for ``HealthThresholds/stallTime``; or the store cannot be reached, so that
    /// nothing can be.
    case stalled
    /// Nobody consumes the subscription, or a part of it.
    case noOwner

    /// Orders by how bad it is.
    public static func < (left: HealthStatus, right: HealthStatus) -> Bool { left.severity < right.severity }

    /// 0 for the best, and one more for each that is worse: the value of the gauge.
    public var severity: Int {
        switch self {
        case .ok: 0
        case .lagging: 1
        case .stalled: 2
        case .noOwner: 3
        }
    }
}
