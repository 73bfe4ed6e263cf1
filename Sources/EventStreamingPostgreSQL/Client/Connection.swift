#if PostgreSQL
import EventStreamingCore

/// A connection to the server: an actor whose thread may block in libpq without keeping anybody else from working.
actor Connection {
    private let executor: ThreadExecutor
    private let session: Session
    nonisolated let canceller: Canceller

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Takes over a session that `makeSession` makes on the connection's thread.
    static func open(
        _ makeSession: @escaping @Sendable () throws(DatabaseError) -> sending Session
    ) async throws(DatabaseError) -> Connection {
        let executor = ThreadExecutor()
        let opener = Opener(executor)
        do throws(DatabaseError) {
            return try await opener.open(makeSession)
        } catch {
            executor.stop()
            throw error
        }
    }

    fileprivate init(_ executor: ThreadExecutor, _ session: sending Session) {
        self.executor = executor
        canceller = Canceller(session)
        self.session = session
    }

    deinit {
        // The session closes the connection when it goes, with this actor.
        executor.stop()
    }

    /// Does a unit of work on the connection's thread. When the task is cancelled meanwhile, its statement is ended.
    ///
    /// - Returns: What `body` returns, and whether the connection is still of use.
    /// - Parameter isCancellable: Whether a cancelled task ends the work; otherwise it is done to its end.
    nonisolated func perform<Result: Sendable, Failure: Error>(
        isCancellable: Bool,
        orThrow wrap: @escaping @Sendable (DatabaseError) -> Failure,
        _ body: @escaping @Sendable (Session) throws(Failure) -> Result
    ) async -> (result: Swift.Result<Result, Failure>, isUsable: Bool) {
        let ticket = canceller.makeTicket()
        guard isCancellable else {
            return await run(ticket, orThrow: wrap, body)
        }
        return await withTaskCancellationHandler {
            await run(ticket, orThrow: wrap, body)
        } onCancel: {
            canceller.cancel(ticket)
        }
    }

    private func run<Result: Sendable, Failure: Error>(
        _ ticket: UInt64,
        orThrow wrap: @Sendable (DatabaseError) -> Failure,
        _ body: @Sendable (Session) throws(Failure) -> Result
    ) -> (result: Swift.Result<Result, Failure>, isUsable: Bool) {
        guard canceller.begin(ticket) else {
            return (.failure(wrap(.cancelled)), session.isIdle)
        }
        session.beginWork()
        let result = Swift.Result { () throws(Failure) in try body(session) }
        canceller.end(ticket)
        return (result, session.isIdle)
    }

    /// Whether the connection is open, as far as this side can tell.
    func isAlive() -> Bool {
        session.isAlive
    }
}

/// Connects on the thread that the connection will have.
private actor Opener {
    private let executor: ThreadExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ executor: ThreadExecutor) {
        self.executor = executor
    }

    func open(
        _ makeSession: @Sendable () throws(DatabaseError) -> sending Session
    ) throws(DatabaseError) -> Connection {
        Connection(executor, try makeSession())
    }
}
#endif
