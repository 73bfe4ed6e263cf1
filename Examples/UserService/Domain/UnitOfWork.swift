import EventStreaming
import Synchronization

/// Collects how to undo what a command changed, for the case that its events cannot be committed.
///
/// A handler changes the ``Directory`` first; its events are committed when it has returned. An event that is too large
/// or cannot be encoded is refused then, and the command fails as a whole: without this, a user would exist whom no
/// event tells of.
final class UnitOfWork: Sendable {
    /// The unit of work of the command being handled.
    @TaskLocal static var current: UnitOfWork?

    private let undos = Mutex<[@Sendable () -> Void]>([])

    /// Registers how to undo a change.
    func onRollback(_ undo: @escaping @Sendable () -> Void) {
        undos.withLock { $0.append(undo) }
    }

    /// Undoes all changes, the last one first.
    func rollBack() {
        let undos = undos.withLock { undos in
            defer { undos.removeAll() }
            return undos
        }
        for undo in undos.reversed() {
            undo()
        }
    }
}

/// Gives every command a ``UnitOfWork`` and rolls it back when the command fails.
///
/// Middleware runs around the commit of the events as well, so it sees the failures that a handler cannot see.
struct UnitOfWorkMiddleware: BusMiddleware {
    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        let work = UnitOfWork()
        do {
            return try await UnitOfWork.$current.withValue(work) { try await next(message) }
        } catch {
            work.rollBack()
            throw error
        }
    }
}
