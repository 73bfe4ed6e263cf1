#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension Timestamp {
    /// The machine's wall clock, now. Where a service has another clock, use that one.
    public static var now: Timestamp { SystemClock().now }
}

/// The machine's clocks: wall time for ``now``, monotonic time (counting while suspended) for ``uptime``.
public struct SystemClock: EventStreamingClock {
    private static let origin = ContinuousClock.now
    /// Far enough to mean "never", near enough to be added to any instant.
    private static let horizon = Duration.seconds(1_000_000_000)

    /// Creates a clock; all of one process share their origin.
    public init() {}

    /// The wall clock's time, with the system's resolution.
    public var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanosecondsSinceEpoch: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// Time since the first use of a system clock in this process.
    public var uptime: Duration { Self.origin.duration(to: .now) }

    /// Waits until ``uptime`` has reached `deadline`.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func sleep(until deadline: Duration) async throws {
        try Task.checkCancellation()
        // Also because instants far in the past cannot be told.
        guard deadline > uptime else { return }
        try await Task.sleep(until: Self.origin.advanced(by: min(deadline, Self.horizon)), clock: .continuous)
    }
}
