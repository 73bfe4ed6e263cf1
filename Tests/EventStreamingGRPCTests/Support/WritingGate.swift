import EventStreaming
import Synchronization

/// Sees to it that nothing is written to a call when it ends, which the transport takes for a mistake and stops at.
final class WritingGate: Sendable {
    private struct State {
        var isWriting = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let changes = Signal()

    /// - Returns: Whether something may be written; then ``leave()`` must follow.
    func enter() -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.isWriting = true
            return true
        }
    }

    func leave() {
        state.withLock { $0.isWriting = false }
        changes.notify()
    }

    /// Lets nothing more through, and returns when what is written is out; when the other side does not read, some time later.
    func close() async {
        let clock = SystemClock()
        let deadline = clock.uptime + .seconds(2)
        while !Task.isCancelled, clock.uptime < deadline {
            let version = changes.version
            let isWriting = state.withLock { state in
                state.isClosed = true
                return state.isWriting
            }
            guard isWriting else { return }
            await changes.wait(since: version, until: deadline, clock: clock)
        }
    }

    /// Where the gate is closed, returns only when the task is cancelled; otherwise at once.
    func waitForCancellation() async {
        guard state.withLock({ $0.isClosed }) else { return }
        await Signal().wait(since: 0)
    }
}
