package import EventStreamingCore

/// The time of one call. Read once and before any lock is taken, so that a clock is never called under a lock.
package struct Moment: Sendable {
    /// The wall clock, to be written down.
    package let now: Timestamp
    /// The monotonic clock, to decide with.
    package let uptime: Duration

    package init(now: Timestamp, uptime: Duration) {
        self.now = now
        self.uptime = uptime
    }

    package init(_ clock: any EventStreamingClock) {
        self.init(now: clock.now, uptime: clock.uptime)
    }
}

extension Duration {
    /// A deadline that never comes.
    package static let never = Duration.seconds(Int64.max)
}
