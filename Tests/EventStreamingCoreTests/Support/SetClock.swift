import EventStreamingCore
import Synchronization

/// A clock whose wall time a test sets, and on which nobody sleeps.
final class SetClock: EventStreamingClock {
    private let time = Mutex(Timestamp(nanosecondsSinceEpoch: 1_767_225_600_000_000_000))

    var now: Timestamp {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }

    var uptime: Duration { .zero }

    func sleep(until deadline: Duration) async throws {}
}
