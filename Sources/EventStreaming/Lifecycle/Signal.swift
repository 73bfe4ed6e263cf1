package import EventStreamingCore
import Synchronization

/// Wakes everybody who waits for something to change.
///
/// A version counts the changes. Whoever looks for work reads ``version`` first and then waits for the version to pass
/// what it read; so a change between looking and waiting is never missed. Waiting costs one continuation, notifying
/// without waiters one uncontended lock.
package final class Signal: Sendable {
    private struct State {
        var version: UInt64 = 0
        var nextKey: UInt64 = 0
        var waiters: [(key: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        /// Waiters whose task was cancelled before they got to wait.
        var cancelled: Set<UInt64> = []
        var listeners: [(key: Listener, notify: @Sendable () -> Void)] = []
    }

    /// Names a listener.
    package struct Listener: Sendable, Hashable {
        fileprivate let key: UInt64
    }

    private let state = Mutex(State())

    /// Creates a signal that was not given yet.
    package init() {}

    /// How often ``notify()`` was called.
    package var version: UInt64 {
        state.withLock { $0.version }
    }

    /// Counts a change, wakes everybody who waits, and calls everybody who listens.
    package func notify() {
        let (woken, listeners) = state.withLock { state in
            state.version &+= 1
            guard !state.waiters.isEmpty else {
                return ([(key: UInt64, continuation: CheckedContinuation<Void, Never>)](), state.listeners)
            }
            let waiters = state.waiters
            state.waiters.removeAll(keepingCapacity: true)
            return (waiters, state.listeners)
        }
        for waiter in woken {
            waiter.continuation.resume()
        }
        for listener in listeners {
            listener.notify()
        }
    }

    // MARK: - Listening

    /// Has `body` called after every change from now on, by whoever made it; it must return quickly.
    package func listen(_ body: @escaping @Sendable () -> Void) -> Listener {
        state.withLock { state in
            state.nextKey &+= 1
            let listener = Listener(key: state.nextKey)
            state.listeners.append((listener, body))
            return listener
        }
    }

    /// Ends that. A call that has begun may still come.
    package func forget(_ listener: Listener) {
        state.withLock { $0.listeners.removeAll { $0.key == listener } }
    }

    // MARK: - Waiting

    /// Returns as soon as the version differs from `version`, or the task is cancelled.
    package func wait(since version: UInt64) async {
        let key = state.withLock { state -> UInt64? in
            guard state.version == version else { return nil }
            state.nextKey &+= 1
            return state.nextKey
        }
        guard let key else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    guard state.version == version, state.cancelled.remove(key) == nil else { return false }
                    state.waiters.append((key, continuation))
                    return true
                }
                if !isWaiting {
                    continuation.resume()
                }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.waiters.firstIndex(where: { $0.key == key }) else {
                    state.cancelled.insert(key)
                    return nil
                }
                return state.waiters.remove(at: index).continuation
            }
            continuation?.resume()
        }
        if Task.isCancelled {
            _ = state.withLock { $0.cancelled.remove(key) }
        }
    }

    /// Returns as soon as the version differs from `version`, the clock's uptime reaches `deadline`, or the task is
    /// cancelled. Without a deadline this costs no task.
    package func wait(since version: UInt64, until deadline: Duration?, clock: any EventStreamingClock) async {
        guard let deadline else { return await wait(since: version) }
        guard clock.uptime < deadline else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(since: version) }
            group.addTask { try? await clock.sleep(until: deadline) }
            await group.next()
            group.cancelAll()
        }
    }
}
