#if PostgreSQL
import CLibPQ
import Synchronization

/// Ends the statement of one connection from outside, and only the statement it is meant for.
final class Canceller: Sendable {
    private struct State {
        /// The unit of work that runs now; `nil` between them.
        var current: UInt64?
        var last: UInt64 = 0
        var cancelled: UInt64 = 0
        // Freed in deinit, used only under the lock.
        nonisolated(unsafe) var handle: OpaquePointer?
    }

    private let state: Mutex<State>

    init(_ session: Session) {
        // The handle is made here and known to nobody else.
        nonisolated(unsafe) let handle = session.makeCancelHandle()
        state = Mutex(State(handle: handle))
    }

    deinit {
        state.withLock { PQfreeCancel($0.handle) }
    }

    /// A number for a unit of work to come.
    func makeTicket() -> UInt64 {
        state.withLock { state in
            state.last += 1
            return state.last
        }
    }

    /// Begins the work; `false` when it was cancelled before.
    func begin(_ ticket: UInt64) -> Bool {
        state.withLock { state in
            guard state.cancelled < ticket else { return false }
            state.current = ticket
            return true
        }
    }

    /// Ends the work. Waits for a cancellation that is under way, so that it cannot hit the next statement.
    func end(_ ticket: UInt64) {
        state.withLock { $0.current = nil }
    }

    /// Ends the statement that runs for the ticket, or keeps it from beginning.
    ///
    /// Returns at once; telling the server takes a connection of its own and is done on a thread of its own.
    func cancel(_ ticket: UInt64) {
        let isRunning = state.withLock { state in
            state.cancelled = max(state.cancelled, ticket)
            return state.current == ticket
        }
        guard isRunning else { return }
        startThread { [self] in
            state.withLock { state in
                guard state.current == ticket else { return }
                var message = [CChar](repeating: 0, count: 256)
                // When it fails, the statement runs until it ends by itself or its time is over.
                _ = PQcancel(state.handle, &message, 256)
            }
        }
    }
}
#endif
