import EventStreamingCore

/// Turns times of the monotonic clock, which mean nothing to another process, into times of the wall clock, and back.
///
/// The difference of the clocks is taken once, so that a wall clock that jumps changes nothing while the process lives.
struct WrittenTimes: Sendable {
    /// Between zero of the monotonic clock and the wall clock's epoch.
    private let origin: Timestamp

    init(_ clock: any EventStreamingClock) {
        origin = clock.now - clock.uptime
    }

    /// - Returns: 0 for what is due at once.
    func written(_ uptime: Duration) -> Int64 {
        uptime <= .zero ? 0 : (origin + uptime).nanosecondsSinceEpoch
    }

    func read(_ written: Int64) -> Duration {
        guard written != 0 else { return .zero }
        // What fell due before this process still comes after what is due at once.
        return max(.nanoseconds(1), Timestamp(nanosecondsSinceEpoch: written) - origin)
    }
}
