public import EventStreamingCore
import Synchronization

/// A clock that stands still until a test moves it.
///
/// Give it to everything that takes an `EventStreamingClock`. A test then waits with
/// ``waitForSleepers(_:)`` until the code under test sleeps, and goes on with ``advance(by:)``; nothing ever waits for
/// real time. Safe to use from any task.
public final class ManualClock: EventStreamingClock {
    private typealias Continuation = CheckedContinuation<Void, any Error>

    /// A caller between asking to wait and waiting; a caller that is in neither table has been answered.
    private enum Arrival {
        case expected
        case cancelled
    }

    private enum Goal {
        case uptime(Duration)
        case sleepers(Int)
    }

    private struct Sleeper {
        let ticket: UInt64
        let deadline: Duration
        let continuation: Continuation
    }

    private struct State {
        var now: Timestamp
        var uptime: Duration = .zero
        var lastTicket: UInt64 = 0
        var arrivals: [UInt64: Arrival] = [:]
        var sleepers: [UInt64: Sleeper] = [:]
        var watchers: [UInt64: (count: Int, continuation: Continuation)] = [:]
    }

    /// Uptime stops here: far beyond any test, and safe to add any sensible duration to.
    private static let horizon = Duration.seconds(Int64.max / 2)

    private let state: Mutex<State>

    /// Creates a clock that shows `now`, by default the beginning of 2026, and an uptime of zero.
    public init(now: Timestamp = Timestamp(nanosecondsSinceEpoch: 1_767_225_600_000_000_000)) {
        state = Mutex(State(now: now))
    }

    /// The wall clock's time, as it was set or advanced to.
    public var now: Timestamp { state.withLock { $0.now } }

    /// How far the clock was advanced since it was created.
    public var uptime: Duration { state.withLock { $0.uptime } }

    /// How many tasks sleep at this clock now.
    public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// The earliest deadline that a task sleeps for, as an ``uptime``; `nil` when none sleeps.
    public var nextDeadline: Duration? { state.withLock { $0.sleepers.values.lazy.map(\.deadline).min() } }

    /// Lets time pass: moves ``now`` and ``uptime``, then wakes everyone whose deadline is reached, in order of the
    /// deadlines and, where they are equal, in the order in which they went to sleep.
    ///
    /// Time never goes back: a negative duration counts as zero.
    public func advance(by duration: Duration) {
        let reached = state.withLock { state -> [Sleeper] in
            let step = min(max(.zero, duration), Self.horizon - state.uptime)
            state.uptime += step
            state.now = state.now + step
            let uptime = state.uptime
            let reached = state.sleepers.values.filter { $0.deadline <= uptime }
            for sleeper in reached {
                state.sleepers[sleeper.ticket] = nil
            }
            return reached.sorted { ($0.deadline, $0.ticket) < ($1.deadline, $1.ticket) }
        }
        for sleeper in reached {
            sleeper.continuation.resume()
        }
    }

    /// Sets the wall clock, forward or back, as an administrator or a time server does. ``uptime`` and everyone who
    /// sleeps are not touched.
    public func setWallClock(to time: Timestamp) {
        state.withLock { $0.now = time }
    }

    /// Waits until ``uptime`` has reached `deadline`; returns at once when it has.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func sleep(until deadline: Duration) async throws {
        try await wait(for: .uptime(deadline))
    }

    /// Waits until at least `count` tasks sleep at this clock; returns at once when they do.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func waitForSleepers(_ count: Int) async throws {
        try await wait(for: .sleepers(count))
    }
}

// MARK: - Waiting

extension ManualClock {
    private func wait(for goal: Goal) async throws {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            state.arrivals[state.lastTicket] = .expected
            return state.lastTicket
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                arrive(ticket, for: goal, continuation)
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    private func arrive(_ ticket: UInt64, for goal: Goal, _ continuation: Continuation) {
        let (isCancelled, resumed) = state.withLock { state -> (Bool, [Continuation]) in
            if state.arrivals.removeValue(forKey: ticket) == .cancelled {
                return (true, [continuation])
            }
            switch goal {
            case .uptime(let deadline):
                if deadline <= state.uptime {
                    return (false, [continuation])
                }
                state.sleepers[ticket] = Sleeper(ticket: ticket, deadline: deadline, continuation: continuation)
                return (false, Self.satisfiedWatchers(&state))
            case .sleepers(let count):
                if count <= state.sleepers.count {
                    return (false, [continuation])
                }
                state.watchers[ticket] = (count, continuation)
                return (false, [])
            }
        }
        for continuation in resumed {
            if isCancelled {
                continuation.resume(throwing: CancellationError())
            } else {
                continuation.resume()
            }
        }
    }

    private func cancel(_ ticket: UInt64) {
        let continuation = state.withLock { state -> Continuation? in
            if state.arrivals[ticket] != nil {
                state.arrivals[ticket] = .cancelled
                return nil
            }
            return state.sleepers.removeValue(forKey: ticket)?.continuation
                ?? state.watchers.removeValue(forKey: ticket)?.continuation
        }
        continuation?.resume(throwing: CancellationError())
    }

    private static func satisfiedWatchers(_ state: inout State) -> [Continuation] {
        let count = state.sleepers.count
        let satisfied = state.watchers.filter { $0.value.count <= count }
        for ticket in satisfied.keys {
            state.watchers[ticket] = nil
        }
        return satisfied.values.map(\.continuation)
    }
}
