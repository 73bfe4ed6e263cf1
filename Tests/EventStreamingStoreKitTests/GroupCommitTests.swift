import EventStreamingCore
import EventStreamingStoreKit
import Synchronization
import Testing

@Suite("Group commit", .timeLimit(.minutes(5)))
struct GroupCommitTests {
    @Test("A request alone is committed alone, and answered")
    func alone() async throws {
        let desk = Desk()
        desk.open()
        #expect(try await desk.submit(7) == 14)
        #expect(try await desk.submit(8) == 16)
        #expect(desk.commits == [[7], [8]])
    }

    @Test("What arrives during a commit shares the next one, in order")
    func sharing() async throws {
        let desk = Desk()
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await desk.submit(0) }
            try await desk.waitUntilCommitting(1)
            for number in 1...10 {
                group.addTask { try await desk.submit(number) }
                try await desk.waitUntilWaiting(number)
            }
            desk.open()
            var answers: [Int] = []
            for try await answer in group { answers.append(answer) }
            #expect(answers.sorted() == (0...10).map { $0 * 2 })
        }
        #expect(desk.commits == [[0], Array(1...10)])
    }

    @Test("A caller that is alone gives no turns away")
    func aloneAtOnce() async throws {
        let desk = Desk()
        desk.open()
        for number in 0..<100 {
            #expect(try await desk.submit(number) == number * 2)
        }
        #expect(desk.turns == 0)
        #expect(desk.commits == (0..<100).map { [$0] })
    }

    @Test("Callers that come again and again share their commits, though none waits at the moment when one begins")
    func closedLoop() async throws {
        let (callers, rounds) = (32, 200)
        let desk = Desk(turnsPerCommit: 20)
        desk.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    for _ in 0..<rounds {
                        let answer = try await desk.submit(caller)
                        #expect(answer == caller * 2)
                        // Some have more to do than others before they come back.
                        for _ in 0..<caller % 3 { await Task.yield() }
                    }
                }
            }
            try await group.waitForAll()
        }
        // Alternating between one and all others, there would be twice as many as rounds.
        #expect(desk.commits.reduce(0) { $0 + $1.count } == callers * rounds)
        #expect(desk.commits.count < rounds * 3 / 2, "\(desk.commits.map(\.count))")
    }

    @Test("A leader waits neither for ever nor again when those of the last commit do not come back")
    func noReturn() async throws {
        let desk = Desk()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await desk.submit(0) }
            try await desk.waitUntilCommitting(1)
            for number in 1...10 {
                group.addTask { _ = try await desk.submit(number) }
                try await desk.waitUntilWaiting(number)
            }
            desk.open()
            try await group.waitForAll()
        }
        #expect(desk.turns == 0)
        _ = try await desk.submit(11)
        let turns = desk.turns
        #expect(turns > 0 && turns < 10)
        _ = try await desk.submit(12)
        #expect(desk.turns == turns)
        #expect(desk.commits == [[0], Array(1...10), [11], [12]])
    }

    @Test("A commit takes no more than its maximum weight, and a heavier request alone")
    func weights() async throws {
        let desk = Desk(maximumWeight: 10) { $0 }
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await desk.submit(1) }
            try await desk.waitUntilCommitting(1)
            for (index, number) in [4, 6, 5, 20, 5, 5, 1].enumerated() {
                group.addTask { try await desk.submit(number) }
                try await desk.waitUntilWaiting(index + 1)
            }
            desk.open()
            try await group.waitForAll()
        }
        #expect(desk.commits == [[1], [4, 6], [5], [20], [5, 5], [1]])
    }

    @Test("A caller that is cancelled while it waits leaves, and the others stay")
    func cancelledWaiter() async throws {
        let desk = Desk()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await desk.submit(1) }
            try await desk.waitUntilCommitting(1)
            let leaving = Task { () async -> Outcome in await desk.outcome(2) }
            try await desk.waitUntilWaiting(1)
            group.addTask { _ = try await desk.submit(3) }
            try await desk.waitUntilWaiting(2)
            leaving.cancel()
            #expect(await leaving.value == .failed(.cancelled))
            desk.open()
            try await group.waitForAll()
        }
        #expect(desk.commits == [[1], [3]])
    }

    @Test("A caller that is cancelled before it asks changes nothing")
    func cancelledBefore() async {
        let desk = Desk()
        desk.open()
        let task = Task { () async -> Outcome in
            withUnsafeCurrentTask { $0?.cancel() }
            return await desk.outcome(1)
        }
        #expect(await task.value == .failed(.cancelled))
        #expect(desk.commits.isEmpty)
    }

    @Test("The commit of a leader that is cancelled is made, and everybody is answered")
    func cancelledLeader() async throws {
        let desk = Desk()
        let first = Task { () async -> Outcome in await desk.outcome(1) }
        try await desk.waitUntilCommitting(1)
        let second = Task { () async -> Outcome in await desk.outcome(2) }
        try await desk.waitUntilWaiting(1)
        let third = Task { () async -> Outcome in await desk.outcome(3) }
        try await desk.waitUntilWaiting(2)
        first.cancel()
        desk.letOneCommit()
        try await desk.waitUntilCommitting(2)
        // The second leads now, for the third as well.
        second.cancel()
        desk.open()
        #expect(await first.value == .answered(2))
        #expect(await second.value == .answered(4))
        #expect(await third.value == .answered(6))
        #expect(desk.commits == [[1], [2, 3]])
    }

    @Test("A commit that forgets requests fails them, and goes on with the next")
    func forgotten() async throws {
        let desk = Desk(forgets: true)
        let first = Task { () async -> Outcome in await desk.outcome(1) }
        try await desk.waitUntilCommitting(1)
        let second = Task { () async -> Outcome in await desk.outcome(2) }
        try await desk.waitUntilWaiting(1)
        desk.open()
        #expect(await first.value == .failed(.storeUnavailable))
        #expect(await second.value == .failed(.storeUnavailable))
        #expect(desk.waiting == 0)
    }

    @Test("Many callers, cancelled at random: all that was committed is answered once, all else was cancelled")
    func stress() async throws {
        let desk = Desk(maximumWeight: 16)
        desk.open()
        var committed: [Int] = []
        await withTaskGroup(of: (Int, Outcome).self) { group in
            for number in 0..<2_000 {
                group.addTask {
                    let task = Task { await desk.outcome(number) }
                    if number % 3 == 0 { task.cancel() }
                    return (number, await task.value)
                }
            }
            for await (number, outcome) in group {
                switch outcome {
                case .answered(let answer):
                    #expect(answer == number * 2)
                    committed.append(number)
                case .failed(let code):
                    #expect(code == .cancelled)
                    #expect(number % 3 == 0)
                }
            }
        }
        let all = desk.commits.flatMap { $0 }
        #expect(all.sorted() == committed.sorted())
        #expect(desk.commits.allSatisfy { $0.count <= 16 })
        #expect(desk.waiting == 0)
    }
}

/// What a caller saw.
private enum Outcome: Hashable, Sendable {
    case answered(Int)
    case failed(EventStreamingError.Code)
}

/// A group commit whose commits double numbers, wait until they are let, and are written down.
private final class Desk: Sendable {
    private struct State {
        var commits: [[Int]] = []
        var turns = 0
        var permits = 0
        var isOpen = false
    }

    private let state: SharedState
    private let group: GroupCommit<Int, Int>

    private final class SharedState: Sendable {
        let value = Mutex(State())
    }

    init(
        maximumWeight: Int = 1000,
        forgets: Bool = false,
        turnsPerCommit: Int = 0,
        weight: @escaping @Sendable (Int) -> Int = { _ in 1 }
    ) {
        let state = SharedState()
        self.state = state
        let giveTurn = { @Sendable () async in
            state.value.withLock { $0.turns += 1 }
            await Task.yield()
        }
        group = GroupCommit(maximumWeight: maximumWeight, weight: weight, giveTurn: giveTurn) { requests in
            state.value.withLock { $0.commits.append(requests) }
            // By turns, not by a continuation, so that cancelling the leader cannot be noticed here.
            let deadline = ContinuousClock.now + Self.patience
            while !state.value.withLock({ Self.takePermit(&$0) }) {
                guard ContinuousClock.now < deadline else {
                    Issue.record("nobody let a commit of \(requests) go on within \(Self.patience)")
                    break
                }
                await Task.yield()
            }
            for _ in 0..<turnsPerCommit { await Task.yield() }
            return forgets ? [] : requests.map { $0 * 2 }
        }
    }

    private static func takePermit(_ state: inout State) -> Bool {
        if state.isOpen { return true }
        guard state.permits > 0 else { return false }
        state.permits -= 1
        return true
    }

    var commits: [[Int]] { state.value.withLock { $0.commits } }
    /// How many turns leaders gave away.
    var turns: Int { state.value.withLock { $0.turns } }
    var waiting: Int { group.waitingCount }

    func open() { state.value.withLock { $0.isOpen = true } }
    func letOneCommit() { state.value.withLock { $0.permits += 1 } }

    func submit(_ number: Int) async throws(EventStreamingError) -> Int { try await group.submit(number) }

    func outcome(_ number: Int) async -> Outcome {
        do throws(EventStreamingError) {
            return .answered(try await group.submit(number))
        } catch {
            return .failed(error.code)
        }
    }

    func waitUntilCommitting(_ count: Int) async throws {
        try await wait("\(count) commits to begin") { commits.count >= count }
    }

    func waitUntilWaiting(_ count: Int) async throws {
        try await wait("\(count) callers to wait") { waiting >= count }
    }

    /// How much real time anything has, on a machine that is busy with other things.
    private static let patience = Duration.seconds(60)

    private func wait(_ what: String, until isReached: () -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while !isReached() {
            guard ContinuousClock.now < deadline else {
                // Or those would never end that were to be seen.
                open()
                throw Stuck(
                    description: "waited \(Self.patience) for \(what); commits: \(commits), waiting: \(waiting)")
            }
            await Task.yield()
        }
    }

    private struct Stuck: Error, CustomStringConvertible {
        let description: String
    }
}
