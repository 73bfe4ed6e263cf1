/// The time as the whole library sees it; injected, so that tests decide when it passes.
///
/// Two readings with two purposes: ``now`` is written down and shown, ``uptime`` decides. Leases, back-off, heartbeats
/// and deadlines use only `uptime`, which never jumps, so that setting the wall clock changes no decision.
public protocol EventStreamingClock: Sendable {
    /// The wall clock's time. May jump in both directions.
    var now: Timestamp { get }

    /// Time since an arbitrary but fixed moment. Never goes back.
    var uptime: Duration { get }

    /// Waits until ``uptime`` has reached `deadline`; returns at once when it has.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    func sleep(until deadline: Duration) async throws
}
