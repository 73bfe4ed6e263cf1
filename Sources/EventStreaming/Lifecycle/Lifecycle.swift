import EventStreamingCore
import Synchronization

/// Where an engine is in its life: created, running, draining, stopped. Only ever forward.
///
/// An engine that is created works already; running adds the work in the background. While it drains, handlers that
/// run may finish what they do, commands and events of theirs included, but nothing new starts.
final class Lifecycle: Sendable {
    enum Phase: Int, Comparable, AtomicRepresentable {
        case created, running, draining, stopped

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    private let current = Atomic(Phase.created)
    private let isStarted = Atomic(false)
    /// Notified when the phase changes.
    let changes = Signal()

    var phase: Phase { current.load(ordering: .acquiring) }
    var isDraining: Bool { phase >= .draining }

    /// From created to running, once. A shutdown may begin before: then there is nothing to do but to stop.
    func start() throws(EventStreamingError) {
        guard !isStarted.exchange(true, ordering: .acquiringAndReleasing) else {
            throw phase == .stopped
                ? Self.shutDown
                : EventStreamingError(.alreadyRunning, "This EventStreaming runs already; call run() once.")
        }
        advance(to: .running)
    }

    /// To draining, unless that was passed already. Returns whether this call did it.
    @discardableResult
    func drain() -> Bool { advance(to: .draining) }

    /// To stopped.
    func stop() { advance(to: .stopped) }

    /// Lets work begin that comes from outside, or from a handler that is still running.
    @inline(__always)
    func admit() throws(EventStreamingError) {
        let phase = phase
        guard phase >= .draining else { return }
        guard phase == .draining, MessageContext.current != nil else { throw Self.refusal(in: phase) }
    }

    static func refusal(in phase: Phase) -> EventStreamingError { phase == .stopped ? shutDown : shuttingDown }

    static var shutDown: EventStreamingError {
        EventStreamingError(.shutDown, "EventStreaming has shut down; create a new one to go on.")
    }

    static var shuttingDown: EventStreamingError {
        EventStreamingError(.shuttingDown, "EventStreaming is shutting down and starts nothing new.")
    }

    @discardableResult
    private func advance(to phase: Phase) -> Bool {
        var known = self.phase
        while known < phase {
            let (exchanged, original) = current.compareExchange(
                expected: known,
                desired: phase,
                ordering: .acquiringAndReleasing
            )
            if exchanged {
                changes.notify()
                return true
            }
            known = original
        }
        return false
    }
}
