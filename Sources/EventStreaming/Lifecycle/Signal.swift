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
        /// Waiters who were to go on before they got to wait.
        var released: Set<UInt64> = []
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

    /// Whether nobody waits, and nothing is kept of those who did.
    package var isIdle: Bool {
        state.withLock { $0.waiters.isEmpty && $0.released.isEmpty }
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
        guard let key = makeKey(since: version) else { return }
        await wait(since: version, as: key)
        if Task.isCancelled {
            forget(key)
        }
    }

    /// Returns as soon as the version differs from `version`, the clock's uptime reaches `deadline`, or the task is
    /// cancelled. Without a deadline this costs no task.
    package func wait(since version: UInt64, until deadline: Duration?, clock: any EventStreamingClock) async {
        guard let deadline else { return await wait(since: version) }
        guard clock.uptime < deadline, let key = makeKey(since: version) else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await clock.sleep(until: deadline)
                self.release(key)
            }
            await wait(since: version, as: key)
            group.cancelAll()
        }
        forget(key)
    }

    /// Names somebody who is about to wait; `nil` when there is nothing to wait for.
    private func makeKey(since version: UInt64) -> UInt64? {
        state.withLock { state in
            guard state.version == version else { return nil }
            state.nextKey &+= 1
            return state.nextKey
        }
    }

    private func wait(since version: UInt64, as key: UInt64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    guard state.version == version, state.released.remove(key) == nil else { return false }
                    state.waiters.append((key, continuation))
                    return true
                }
                if !isWaiting {
                    continuation.resume()
                }
            }
        } onCancel: {
            release(key)
        }
    }

    /// Lets one of those go on who wait, or are about to.
    private func release(_ key: UInt64) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let index = state.waiters.firstIndex(where: { $0.key == key }) else {
                state.released.insert(key)
                return nil
            }
            return state.waiters.remove(at: index).continuation
        }
        continuation?.resume()
    }

    /// Forgets that somebody was released who did not wait any more.
    private func forget(_ key: UInt64) {
        _ = state.withLock { $0.released.remove(key) }
    }
}
