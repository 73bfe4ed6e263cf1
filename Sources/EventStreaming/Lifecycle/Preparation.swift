import EventStreamingCore
import Synchronization

/// Does something once, before the first use, whoever comes first; the others wait for it.
///
/// A failed attempt is reported to everybody who waited for it, and the next caller tries again.
final class Preparation: Sendable {
    private enum Step: Int, AtomicRepresentable {
        case open, busy, done
    }

    private let step = Atomic(Step.open)
    private let changes = Signal()
    private let work: @Sendable () async throws(EventStreamingError) -> Void

    init(_ work: @escaping @Sendable () async throws(EventStreamingError) -> Void) {
        self.work = work
    }

    /// Returns when the work is done. One atomic load when it was done before.
    @inline(__always)
    func ready() async throws(EventStreamingError) {
        if step.load(ordering: .acquiring) == .done { return }
        try await prepare()
    }

    private func prepare() async throws(EventStreamingError) {
        while true {
            let version = changes.version
            let (exchanged, original) = step.compareExchange(
                expected: .open,
                desired: .busy,
                ordering: .acquiringAndReleasing
            )
            if exchanged { break }
            if original == .done { return }
            await changes.wait(since: version)
            guard !Task.isCancelled else {
                throw EventStreamingError(.cancelled, "The task was cancelled while the streams were being prepared.")
            }
        }
        do throws(EventStreamingError) {
            try await work()
        } catch {
            step.store(.open, ordering: .releasing)
            changes.notify()
            throw error
        }
        step.store(.done, ordering: .releasing)
        changes.notify()
    }
}
