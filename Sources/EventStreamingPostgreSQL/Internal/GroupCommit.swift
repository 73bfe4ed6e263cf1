#if PostgreSQL
import DequeModule
import EventStreamingCore
import Synchronization

/// Gathers what concurrent callers ask for into groups, and does each group at once.
///
/// A caller who finds nobody at work leads: it does its own request and all that wait. Whoever comes meanwhile waits,
/// and the first of them leads the next group. So nobody waits for a timer, and a group is as large as the load.
final class GroupCommit<Request: Sendable, Response: Sendable>: Sendable {
    private enum Turn {
        case done(Response)
        case lead(Request)
        case cancelled
    }

    private struct Entry {
        let ticket: UInt64
        let request: Request
        let continuation: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var queue: Deque<Entry> = []
        var leaders = 0
        var lastTicket: UInt64 = 0
        /// Callers about to wait that were not cancelled.
        var arriving: Set<UInt64> = []
        /// How many there were in the last group.
        var lastSize = 0
    }

    private let state = Mutex(State())
    private let maximumWeight: Int
    private let weight: @Sendable (Request) -> Int
    private let commit: @Sendable ([Request]) async -> [Response]

    /// - Parameters:
    ///   - maximumWeight: How much a group may weigh; a single request may weigh more.
    ///   - weight: What a request weighs.
    ///   - commit: Does a group, and gives one response for each request. Must not look at the cancellation of its task.
    init(
        maximumWeight: Int,
        weight: @escaping @Sendable (Request) -> Int,
        commit: @escaping @Sendable ([Request]) async -> [Response]
    ) {
        self.maximumWeight = maximumWeight
        self.weight = weight
        self.commit = commit
    }

    /// Has the request done in a group.
    ///
    /// - Throws: `cancelled` when the task was cancelled before its group was begun.
    func submit(_ request: Request) async throws(EventStreamingError) -> Response {
        guard let response = await response(to: request) else {
            throw DatabaseError.cancelled.eventStreamingError
        }
        return response
    }

    private func response(to request: Request) async -> Response? {
        if Task.isCancelled { return nil }
        let (isLeader, hadCompany) = state.withLock { state in
            guard state.leaders == 0, state.queue.isEmpty else { return (false, false) }
            state.leaders += 1
            return (true, state.lastSize > 1)
        }
        if isLeader {
            // Those of the last group are about to come back; a moment now spares each of them a whole commit.
            if hadCompany { await Task.yield() }
            return await lead(request)
        }
        switch await waitForTurn(request) {
        case .done(let response): return response
        case .lead(let request): return await lead(request)
        case .cancelled: return nil
        }
    }

    private func waitForTurn(_ request: Request) async -> Turn {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            state.arriving.insert(state.lastTicket)
            return state.lastTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn = state.withLock { state -> Turn? in
                    guard state.arriving.remove(ticket) != nil else { return .cancelled }
                    guard state.leaders > 0 else {
                        state.leaders += 1
                        return .lead(request)
                    }
                    state.queue.append(Entry(ticket: ticket, request: request, continuation: continuation))
                    return nil
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            let entry = state.withLock { state -> Entry? in
                state.arriving.remove(ticket)
                guard let index = state.queue.firstIndex(where: { $0.ticket == ticket }) else { return nil }
                return state.queue.remove(at: index)
            }
            entry?.continuation.resume(returning: .cancelled)
        }
    }

    private func lead(_ request: Request) async -> Response? {
        let followers = state.withLock { state -> [Entry] in
            var weight = self.weight(request)
            var followers: [Entry] = []
            while let next = state.queue.first, weight + self.weight(next.request) <= maximumWeight {
                weight += self.weight(next.request)
                followers.append(next)
                state.queue.removeFirst()
            }
            state.lastSize = followers.count + 1
            return followers
        }
        let requests = [request] + followers.map(\.request)
        let responses = await commit(requests)
        let next = state.withLock { state -> Entry? in
            guard let next = state.queue.popFirst() else {
                state.leaders -= 1
                return nil
            }
            return next
        }
        for (entry, response) in zip(followers, responses.dropFirst()) {
            entry.continuation.resume(returning: .done(response))
        }
        next?.continuation.resume(returning: next.map { .lead($0.request) } ?? .cancelled)
        return responses.first
    }
}
#endif
