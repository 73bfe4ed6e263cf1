import DequeModule
package import EventStreamingCore
import Synchronization

/// Gathers what many callers want at the same time into one commit.
///
/// A durable commit costs the same for one change as for a hundred, so changes that arrive while a commit is under way
/// wait and share the next one. There is no task and no thread for this: the first caller *leads*. It takes everything
/// that waits, commits it, gives everybody their answer, and lets the first of those who came meanwhile lead the next
/// commit. A caller that is alone commits at once.
///
/// Callers that append in a loop are all answered together, and then none of them waits for a moment: whoever came back
/// first would commit alone, and everybody else would wait for that. So a leader that follows a larger commit lets other
/// tasks have a few turns first, as long as these bring it more requests. It never waits for time to pass.
///
/// Requests are committed in the order in which they were submitted, and only one commit is under way at a time.
///
/// ## Cancellation
///
/// A caller that is cancelled while it waits leaves the queue, and its request is not committed. As soon as a commit
/// includes the request, the caller gets the answer. The commit runs in the task of the caller that leads, which may
/// itself be cancelled meanwhile: a commit must therefore not look at cancellation, or one caller would spoil the
/// requests of the others.
package final class GroupCommit<Request: Sendable, Response: Sendable>: Sendable {
    /// Commits requests together and gives one response for each, in their order.
    package typealias Commit = @Sendable ([Request]) async -> [Response]

    private let commit: Commit
    private let weight: @Sendable (Request) -> Int
    private let maximumWeight: Int
    private let giveTurn: @Sendable () async -> Void
    private let queue = Mutex(Queue())

    /// Creates a group commit that nobody waits for yet.
    ///
    /// - Parameters:
    ///   - maximumWeight: How much one commit may include. A single request that is heavier is committed alone.
    ///   - weight: How much a request counts.
    ///   - giveTurn: Lets other tasks go on before the caller does.
    ///   - commit: Commits requests together. Must not look at the cancellation of its task.
    package init(
        maximumWeight: Int,
        weight: @escaping @Sendable (Request) -> Int = { _ in 1 },
        giveTurn: @escaping @Sendable () async -> Void = { await Task.yield() },
        commit: @escaping Commit
    ) {
        self.giveTurn = giveTurn
        self.commit = commit
        self.weight = weight
        self.maximumWeight = maximumWeight
    }

    /// How many requests wait for a commit to come; those of a commit under way are not counted.
    package var waitingCount: Int { queue.withLock { $0.waiters.count } }

    /// Has a request committed, together with those of others.
    ///
    /// - Returns: The response to this request.
    /// - Throws: `cancelled` when the task was cancelled before a commit included the request.
    package func submit(_ request: Request) async throws(EventStreamingError) -> Response {
        guard !Task.isCancelled else { throw .cancelledBeforeCommit }
        if queue.withLock({ $0.leadIfNobodyDoes() }) {
            return try await lead(with: request)
        }
        switch await turn(of: request) {
        case .answered(let response): return response
        case .leads: return try await lead(with: request)
        case .cancelled: throw .cancelledBeforeCommit
        case .forgotten: throw .unansweredCommit
        }
    }

    /// How many turns in a row may bring nobody, until a leader goes on without those that it hoped for.
    private static var vainTurns: Int { 4 }

    /// Commits the request with everything that waits behind it, and lets the next caller lead.
    private func lead(with request: Request) async throws(EventStreamingError) -> Response {
        await gather()
        let own = weight(request)
        let followers = queue.withLock { $0.take(lighterThan: maximumWeight, after: own, weight: weight) }
        var requests: [Request] = []
        requests.reserveCapacity(followers.count + 1)
        requests.append(request)
        for follower in followers {
            requests.append(follower.request)
        }
        let responses = await commit(requests)
        // Answered first, so that those who come back at once are in the queue when the next commit takes it.
        for (index, follower) in followers.enumerated() {
            let isAnswered = index + 1 < responses.count
            follower.continuation.resume(returning: isAnswered ? .answered(responses[index + 1]) : .forgotten)
        }
        queue.withLock { $0.handOver() }?.continuation.resume(returning: .leads)
        guard let response = responses.first else { throw .unansweredCommit }
        return response
    }

    /// Lets those come back who were in the last commit, as long as some do.
    private func gather() async {
        var (waiting, wanted) = queue.withLock { ($0.waiters.count, $0.lastCount - 1) }
        var vain = 0
        while waiting < wanted, vain < Self.vainTurns {
            await giveTurn()
            let before = waiting
            waiting = queue.withLock { $0.waiters.count }
            vain = waiting > before ? 0 : vain + 1
        }
    }

    /// Waits until the request was answered, or its turn to lead has come.
    private func turn(of request: Request) async -> Turn {
        let ticket = queue.withLock { $0.nextTicket() }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let waiter = Waiter(ticket: ticket, request: request, continuation: continuation)
                // Whoever is cancelled from here on finds the waiter in the queue, or has found this lock taken.
                let turn = queue.withLock { $0.add(waiter, isCancelled: Task.isCancelled) }
                if let turn {
                    continuation.resume(returning: turn)
                }
            }
        } onCancel: {
            queue.withLock { $0.remove(ticket) }?.continuation.resume(returning: .cancelled)
        }
    }
}

// MARK: - The queue

extension GroupCommit {
    /// What becomes of a caller that waited.
    private enum Turn: Sendable {
        case answered(Response)
        case leads
        case cancelled
        /// The commit gave fewer responses than it got requests.
        case forgotten
    }

    private struct Waiter: Sendable {
        let ticket: UInt64
        let request: Request
        let continuation: UnsafeContinuation<Turn, Never>
    }

    /// Who waits, and whether somebody leads. Only changed under the lock; continuations are resumed outside of it.
    private struct Queue: Sendable {
        private(set) var waiters = Deque<Waiter>()
        private var isLed = false
        private var lastTicket: UInt64 = 0
        /// How many requests the last commit had.
        private(set) var lastCount = 0

        mutating func nextTicket() -> UInt64 {
            lastTicket += 1
            return lastTicket
        }

        /// - Returns: Whether the caller leads from now on.
        mutating func leadIfNobodyDoes() -> Bool {
            guard !isLed else { return false }
            isLed = true
            return true
        }

        /// - Returns: What becomes of the waiter at once; `nil` when it has to wait.
        mutating func add(_ waiter: Waiter, isCancelled: Bool) -> Turn? {
            if isCancelled { return .cancelled }
            // The one who led may have found nobody waiting, and gone, since the caller asked.
            if leadIfNobodyDoes() { return .leads }
            waiters.append(waiter)
            return nil
        }

        mutating func remove(_ ticket: UInt64) -> Waiter? {
            waiters.firstIndex { $0.ticket == ticket }.map { waiters.remove(at: $0) }
        }

        /// Takes as many from the front as fit into a commit.
        mutating func take(
            lighterThan maximum: Int,
            after weight: Int,
            weight weightOf: (Request) -> Int
        ) -> [Waiter] {
            var taken: [Waiter] = []
            var remaining = maximum - weight
            while let first = waiters.first {
                remaining -= weightOf(first.request)
                guard remaining >= 0 else { break }
                taken.append(waiters.removeFirst())
            }
            lastCount = taken.count + 1
            return taken
        }

        /// - Returns: Who leads next; `nil` when nobody waits.
        mutating func handOver() -> Waiter? {
            let next = waiters.popFirst()
            isLed = next != nil
            return next
        }
    }
}

extension EventStreamingError {
    fileprivate static var cancelledBeforeCommit: Self {
        Self(.cancelled, "The task was cancelled before the store made the change; nothing was changed.")
    }

    fileprivate static var unansweredCommit: Self {
        Self(.storeUnavailable, "The store's commit did not answer this request; whether it was made is not known.")
    }
}
