#if PostgreSQL
import EventStreamingCore
import Synchronization

/// What must have been done once before anything else: successfully, so it is tried again after a failure.
final class Preparation: Sendable {
    private let isDone = Atomic(false)
    private let work: @Sendable (Session) throws(EventStreamingError) -> Void

    init(_ work: @escaping @Sendable (Session) throws(EventStreamingError) -> Void) {
        self.work = work
    }

    /// Does the work, unless it is done. Two connections may do it at once; the work must allow for that.
    func run(_ session: Session) throws(EventStreamingError) {
        guard !isDone.load(ordering: .acquiring) else { return }
        try work(session)
        isDone.store(true, ordering: .releasing)
    }
}
#endif
