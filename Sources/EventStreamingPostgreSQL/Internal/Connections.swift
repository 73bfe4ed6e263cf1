#if PostgreSQL
import EventStreamingCore
import Synchronization

/// The pool, and what must have been done before a connection of it is used.
struct Connections: Sendable {
    let pool: Pool
    let preparation: Preparation

    /// Does a unit of work on a connection, once the tables are as they must be.
    func withSession<Result: Sendable>(
        isCancellable: Bool = true,
        _ body: @escaping @Sendable (Session) throws(EventStreamingError) -> Result
    ) async throws(EventStreamingError) -> Result {
        do throws(EventStreamingError) {
            return try await pool.withSession(isCancellable: isCancellable, orThrow: \.eventStreamingError) {
                [preparation] (session) throws(EventStreamingError) in
                try preparation.run(session)
                return try body(session)
            }
        } catch {
            throw isCancellable ? error.asCancellation : error
        }
    }
}

extension EventStreamingError {
    /// The error as the caller sees it when its task was cancelled: the server says the same of a statement that took too
    /// long and of one that we had it end.
    var asCancellation: EventStreamingError {
        guard Task.isCancelled, (underlying as? DatabaseError)?.sqlState == "57014" else { return self }
        return DatabaseError.cancelled.eventStreamingError
    }
}

/// Does `body` to its end, also when the task is cancelled: it is the work of many callers.
func uncancelled<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) async -> Result {
    await Task { await body() }.value
}

/// Those who expired since somebody asked.
final class ExpiredConsumers: Sendable {
    private let registrations = Mutex<[ConsumerRegistration]>([])
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    func add(_ more: [ConsumerRegistration]) {
        guard !more.isEmpty else { return }
        registrations.withLock { registrations in
            registrations += more
            registrations.removeFirst(max(0, registrations.count - limit))
        }
    }

    func take() -> [ConsumerRegistration] {
        registrations.withLock { registrations in
            defer { registrations = [] }
            return registrations
        }
    }
}
#endif
