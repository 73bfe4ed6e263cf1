import EventStreaming
import Synchronization

/// Where a server is in its life.
final class ServingState: Sendable {
    private struct State {
        var isStarted = false
        var isStopping = false
        var port: Int?
    }

    private let state = Mutex(State())
    /// Notified when something has changed.
    let changes = Signal()

    var isStopping: Bool { state.withLock { $0.isStopping } }
    var port: Int? { state.withLock { $0.port } }

    /// Returns whether this was the first call.
    func start() -> Bool {
        state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
    }

    func listening(at port: Int) {
        state.withLock { $0.port = port }
        changes.notify()
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        changes.notify()
    }

    /// Returns when the server stops, or the task is cancelled.
    func waitUntilStopping() async {
        while !Task.isCancelled {
            let version = changes.version
            if isStopping { return }
            await changes.wait(since: version)
        }
    }
}
