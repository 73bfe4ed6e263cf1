import EventStreamingCore

/// How many events to lease at once: as many as the consumer handles in a tenth of a second, within its prefetch.
///
/// Large leases are cheap, but they keep events from competing consumers and are delivered again when a consumer dies.
/// So a lease begins small, at most doubles, and shrinks when handling is slow.
struct LeaseSizer: Sendable {
    private static let budget = Duration.milliseconds(100)
    private static let firstSize = 16

    private let maximum: Int
    private(set) var size: Int
    private var began: Duration = .zero

    init(maximum: Int) {
        self.maximum = max(1, maximum)
        size = min(self.maximum, Self.firstSize)
    }

    /// Notes that a lease was handed over.
    mutating func begin(at now: Duration) {
        began = now
    }

    /// Notes that a lease of `count` events is done with, and sets the next size.
    mutating func end(count: Int, at now: Duration) {
        let elapsed = max(1, (now - began).clampedNanoseconds)
        let affordable = Double(count) * Double(Self.budget.clampedNanoseconds) / Double(elapsed)
        let grown = size.multipliedReportingOverflow(by: 2)
        let limit = grown.overflow ? maximum : min(maximum, grown.partialValue)
        size = affordable >= Double(limit) ? limit : max(1, Int(affordable))
    }
}
