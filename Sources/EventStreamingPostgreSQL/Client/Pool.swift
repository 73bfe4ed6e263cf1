#if PostgreSQL
import DequeModule
import EventStreamingCore
import Synchronization

/// A few connections, lent to whoever asks and made when they are needed.
///
/// A connection that was lost is replaced. After a failed attempt to connect, the next one waits for a growing time,
/// whoever asks, until the asker's patience ends.
final class Pool: Sendable {
    private typealias Waiter = CheckedContinuation<Connection?, any Error>

    private struct State {
        var idle: [(connection: Connection, since: ContinuousClock.Instant)] = []
        /// Connections that exist or are being made.
        var open = 0
        var waiters: Deque<(ticket: UInt64, waiter: Waiter)> = []
        /// Who is about to wait, and has not given up yet.
        var arriving: Set<UInt64> = []
        var lastTicket: UInt64 = 0
        var backoff = Backoff()
        var nextAttempt = ContinuousClock.now
    }

    /// Idle for longer than this, a connection is looked at before it is lent.
    private static let trustedIdleTime = Duration.seconds(1)

    private let state = Mutex(State())
    private let limit: Int
    private let patience: Duration
    private let makeConnection: @Sendable () async throws(DatabaseError) -> Connection

    init(
        limit: Int,
        patience: Duration,
        makeConnection: @escaping @Sendable () async throws(DatabaseError) -> Connection
    ) {
        self.limit = max(1, limit)
        self.patience = patience
        self.makeConnection = makeConnection
    }

    /// How many connections there are now.
    var openCount: Int { state.withLock { $0.open } }

    /// Lends a connection for one unit of work.
    ///
    /// - Parameter isCancellable: Whether a cancelled task ends the work; otherwise it is done to its end, as work of many
    ///   callers must be.
    /// - Throws: What `body` throws; what `wrap` makes of having no connection.
    func withSession<Result: Sendable, Failure: Error>(
        isCancellable: Bool = true,
        orThrow wrap: @escaping @Sendable (DatabaseError) -> Failure,
        _ body: @escaping @Sendable (Session) throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let connection: Connection
        do throws(DatabaseError) {
            connection = try await isCancellable ? acquire() : acquireUncancelled()
        } catch {
            throw wrap(error)
        }
        let (result, isUsable) = await connection.perform(isCancellable: isCancellable, orThrow: wrap, body)
        release(isUsable ? connection : nil)
        return try result.get()
    }

    // MARK: - Borrowing

    private enum Step {
        case use(Connection, since: ContinuousClock.Instant)
        case connect(notBefore: ContinuousClock.Instant)
        case wait
    }

    private func acquire() async throws(DatabaseError) -> Connection {
        let deadline = ContinuousClock.now + patience
        while true {
            if Task.isCancelled { throw .cancelled }
            switch state.withLock({ Self.nextStep(&$0, limit: limit) }) {
            case .use(let connection, let since):
                if since.duration(to: .now) < Self.trustedIdleTime { return connection }
                if await connection.isAlive() { return connection }
                release(nil)
            case .connect(let moment):
                if let connection = try await connect(notBefore: moment, until: deadline) { return connection }
            case .wait:
                if let connection = try await wait(until: deadline) { return connection }
            }
        }
    }

    /// Borrows a connection, also when the task is cancelled. Mostly one is at hand, and there is nothing to wait for.
    private func acquireUncancelled() async throws(DatabaseError) -> Connection {
        let idle = state.withLock { state -> Connection? in
            guard let last = state.idle.last, last.since.duration(to: .now) < Self.trustedIdleTime else { return nil }
            return state.idle.removeLast().connection
        }
        if let idle { return idle }
        let result = await uncancelled {
            do throws(DatabaseError) {
                return Result<Connection, DatabaseError>.success(try await self.acquire())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func nextStep(_ state: inout State, limit: Int) -> Step {
        if let (connection, since) = state.idle.popLast() {
            return .use(connection, since: since)
        }
        guard state.open < limit else { return .wait }
        state.open += 1
        return .connect(notBefore: state.nextAttempt)
    }

    /// Makes a connection; `nil` when it failed and there is time for another attempt.
    private func connect(
        notBefore moment: ContinuousClock.Instant,
        until deadline: ContinuousClock.Instant
    ) async throws(DatabaseError) -> Connection? {
        do throws(DatabaseError) {
            if moment > .now {
                try await Self.sleep(until: min(moment, deadline))
            }
            let connection = try await makeConnection()
            state.withLock { $0.backoff.succeed() }
            return connection
        } catch {
            let next = state.withLock { state in
                state.nextAttempt = .now + state.backoff.fail()
                return state.nextAttempt
            }
            release(nil)
            guard error.isWorthAnotherAttempt, next < deadline else { throw error }
            return nil
        }
    }

    private static func sleep(until moment: ContinuousClock.Instant) async throws(DatabaseError) {
        do {
            try await Task.sleep(until: moment, clock: .continuous)
        } catch {
            throw .cancelled
        }
    }

    // MARK: - Waiting

    /// Waits until a connection is given back, or `nil` when one may be made now.
    private func wait(until deadline: ContinuousClock.Instant) async throws(DatabaseError) -> Connection? {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            state.arriving.insert(state.lastTicket)
            return state.lastTicket
        }
        do {
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    self.leaveLine(ticket, with: Self.exhausted)
                }
                defer { group.cancelAll() }
                return try await waitInLine(ticket, until: deadline)
            }
        } catch let error as DatabaseError {
            throw error
        } catch {
            throw .cancelled
        }
    }

    private static let exhausted = {
        var error = DatabaseError(message: "all connections of the pool were in use for too long", isFatal: false)
        error.isTimeout = true
        return error
    }()

    private func waitInLine(
        _ ticket: UInt64,
        until deadline: ContinuousClock.Instant
    ) async throws -> Connection? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                enum Answer {
                    case none
                    case now(Connection?)
                    case cancelled
                }
                let answer = state.withLock { state -> Answer in
                    if state.arriving.remove(ticket) == nil { return .cancelled }
                    if let (connection, _) = state.idle.popLast() { return .now(connection) }
                    if state.open < limit { return .now(nil) }
                    state.waiters.append((ticket, waiter))
                    return .none
                }
                switch answer {
                case .none: break
                case .now(let connection): waiter.resume(returning: connection)
                case .cancelled:
                    waiter.resume(throwing: deadline <= .now ? Self.exhausted : CancellationError() as any Error)
                }
            }
        } onCancel: {
            leaveLine(ticket, with: CancellationError())
        }
    }

    private func leaveLine(_ ticket: UInt64, with error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            state.arriving.remove(ticket)
            guard let index = state.waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.waiters.remove(at: index).waiter
        }
        waiter?.resume(throwing: error)
    }

    /// Takes a connection back; `nil` when it is of no use any more.
    private func release(_ connection: Connection?) {
        let waiter = state.withLock { state -> Waiter? in
            if let waiter = state.waiters.popFirst()?.waiter {
                if connection == nil { state.open -= 1 }
                return waiter
            }
            if let connection {
                state.idle.append((connection, .now))
            } else {
                state.open -= 1
            }
            return nil
        }
        waiter?.resume(returning: connection)
    }
}

extension DatabaseError {
    /// Whether the server may let us in a little later: it starts, is full, or cannot be reached.
    fileprivate var isWorthAnotherAttempt: Bool {
        guard !isCancellation else { return false }
        guard let sqlState else { return isFatal }
        return sqlState.hasPrefix("57P") || sqlState == "53300" || sqlState.hasPrefix("08")
    }
}
#endif
