import EventStreamingCore

/// The time of one call. Read once and before any lock is taken, so that a clock is never called under a lock.
struct Moment: Sendable {
    /// The wall clock, to be written down.
    let now: Timestamp
    /// The monotonic clock, to decide with.
    let uptime: Duration

    init(now: Timestamp, uptime: Duration) {
        self.now = now
        self.uptime = uptime
    }

    init(_ clock: any EventStreamingClock) {
        self.init(now: clock.now, uptime: clock.uptime)
    }
}

extension Duration {
    /// A deadline that never comes.
    static let never = Duration.seconds(Int64.max)
}
