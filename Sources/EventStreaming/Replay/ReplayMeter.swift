import EventStreamingCore
import Synchronization

/// Counts what a replay does; read by anybody, written by the loop.
final class ReplayMeter: Sendable {
    private let start: Int64
    private let total: Int64
    private let clock: any EventStreamingClock
    private let position: Atomic<Int64>
    private let delivered = Atomic<Int64>(0)
    /// When the loop began and ended by the clock's uptime, in nanoseconds; -1 when it has not.
    private let began = Atomic<Int64>(-1)
    private let ended = Atomic<Int64>(-1)

    init(range: Range<Int64>, clock: any EventStreamingClock) {
        start = range.lowerBound
        total = Int64(range.count)
        self.clock = clock
        position = Atomic(range.lowerBound)
    }

    func begin() {
        position.store(start, ordering: .relaxed)
        delivered.store(0, ordering: .relaxed)
        ended.store(-1, ordering: .relaxed)
        began.store(clock.uptime.clampedNanoseconds, ordering: .relaxed)
    }

    func pass(to offset: Int64, delivered count: Int) {
        position.store(offset, ordering: .relaxed)
        delivered.store(Int64(count), ordering: .relaxed)
    }

    func end() {
        if ended.load(ordering: .relaxed) < 0 {
            ended.store(clock.uptime.clampedNanoseconds, ordering: .relaxed)
        }
    }

    var progress: ReplayProgress {
        let (began, ended) = (began.load(ordering: .relaxed), ended.load(ordering: .relaxed))
        let position = position.load(ordering: .relaxed)
        let now = ended < 0 ? clock.uptime.clampedNanoseconds : ended
        return ReplayProgress(
            done: Int(position - start),
            total: Int(total),
            delivered: Int(delivered.load(ordering: .relaxed)),
            position: StreamOffset(position),
            elapsed: began < 0 ? .zero : .nanoseconds(max(0, now - began)),
            isFinished: ended >= 0
        )
    }
}
