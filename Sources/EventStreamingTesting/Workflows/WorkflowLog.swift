import EventStreamingCore
import Synchronization

/// Takes down what a handler did in its workflow.
final class WorkflowLog: Sendable {
    struct Contents: Sendable {
        var events: [any Event] = []
        /// Events of a handler that threw, which were not emitted.
        var discarded: [any Event] = []
        var headers: [String: String] = [:]
    }

    private let state = Mutex(Contents())

    var contents: Contents { state.withLock { $0 } }

    func record(_ events: [any Event], _ headers: [String: String], areCommitted: Bool) {
        state.withLock { contents in
            contents =
                areCommitted
                ? Contents(events: events, headers: headers) : Contents(discarded: events)
        }
    }
}
