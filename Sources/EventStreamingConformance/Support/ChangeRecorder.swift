import EventStreamingCore
import Synchronization

/// An observer that counts hints and can wait for them.
final class ChangeRecorder: StreamObserver {
    private struct State {
        var counts: [StreamName: Int] = [:]
        var waiter: (stream: StreamName, continuation: CheckedContinuation<Bool, Never>)?
    }

    private let state = Mutex(State())

    func streamDidChange(_ stream: StreamName) {
        let continuation = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            state.counts[stream, default: 0] += 1
            guard state.waiter?.stream == stream else { return nil }
            return state.waiter.take()?.continuation
        }
        continuation?.resume(returning: true)
    }

    /// Forgets what was recorded so far.
    func reset() {
        state.withLock { $0.counts = [:] }
    }

    /// Waits until there was a hint about the stream since the last reset; gives up after ten seconds of real time,
    /// which only a store that breaks its contract makes it do. One call at a time.
    func waitForChange(of stream: StreamName) async -> Bool {
        let deadline = Task {
            try await Task.sleep(for: .seconds(10))
            state.withLock { $0.waiter.take() }?.continuation.resume(returning: false)
        }
        defer { deadline.cancel() }
        return await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                guard state.counts[stream, default: 0] == 0 else { return true }
                state.waiter = (stream, continuation)
                return false
            }
            if isThere {
                continuation.resume(returning: true)
            }
        }
    }
}
