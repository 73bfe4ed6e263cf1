public import EventStreamingCore
import Synchronization

/// A store that fails or waits where a test tells it to, and does what the store inside of it does otherwise.
///
/// ```swift
/// let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
/// store.fail(.append, with: EventStreamingError(.storeUnavailable, "The disk is gone."), on: .nextCalls(2))
/// let gate = store.hold(.settle)
/// // …
/// try await gate.waitForArrivals(1)
/// gate.release()
/// ```
///
/// Nothing depends on time. Faults of an operation are asked in the order in which they were added, and the first that
/// applies decides; a call waits at its gates before it fails. Safe to use from any task.
public final class FaultInjectingStore: Sendable {
    private struct Fault {
        let operation: Operation
        let error: EventStreamingError
        let effect: Effect
        var schedule: Schedule
    }

    private struct Barrier {
        let operation: Operation
        let effect: Effect
        let gate: Gate
        var schedule: Schedule
    }

    private struct State {
        var callCounts: [Operation: Int] = [:]
        var faults: [Fault] = []
        var barriers: [Barrier] = []
        var lostHints: [Schedule] = []
        var relays: [HintRelay] = []
    }

    /// What happens to one call.
    private struct Plan {
        var gates: [(effect: Effect, gate: Gate)] = []
        var failure: (effect: Effect, error: EventStreamingError)?
    }

    let base: any EventStreamingStore
    /// How often the store wants to be asked for news; by default as the wrapped one.
    public let polling: PollingPolicy?
    private let state = Mutex(State())

    /// Wraps a store.
    public init(wrapping base: any EventStreamingStore) {
        self.base = base
        polling = base.polling
    }

    /// Wraps a store, and says how often to ask for news; for tests in which hints get lost.
    public init(wrapping base: any EventStreamingStore, polling: PollingPolicy?) {
        self.base = base
        self.polling = polling
    }

    // MARK: - Faults

    /// Makes calls of an operation fail.
    ///
    /// - Parameters:
    ///   - operation: The operation.
    ///   - error: What the calls throw. For a group of appends, it is the result of each of them.
    ///   - frequency: Which calls fail, counted from now; all by default.
    ///   - effect: Whether the call has its effect nevertheless; by default nothing happens.
    public func fail(
        _ operation: Operation,
        with error: EventStreamingError,
        on frequency: Frequency = .always,
        effect: Effect = .before
    ) {
        let fault = Fault(operation: operation, error: error, effect: effect, schedule: Schedule(frequency))
        state.withLock { $0.faults.append(fault) }
    }

    /// Makes calls of an operation wait until the test lets them go on.
    ///
    /// A held call whose task is cancelled throws code `cancelled` when it has had no effect, and goes on otherwise.
    ///
    /// - Parameters:
    ///   - operation: The operation.
    ///   - frequency: Which calls wait, counted from now; all by default.
    ///   - effect: Whether they wait before or after they have their effect.
    /// - Returns: The gate at which they wait.
    public func hold(
        _ operation: Operation,
        on frequency: Frequency = .always,
        effect: Effect = .before
    ) -> Gate {
        let gate = Gate()
        let barrier = Barrier(operation: operation, effect: effect, gate: gate, schedule: Schedule(frequency))
        state.withLock { $0.barriers.append(barrier) }
        return gate
    }

    /// Loses hints to observers, which are told nothing of some changes.
    ///
    /// - Parameter frequency: Which hints are lost, counted from now; all by default.
    public func loseHints(on frequency: Frequency = .always) {
        state.withLock { $0.lostHints.append(Schedule(frequency)) }
    }

    /// Ends all faults of an operation, or of all of them when `nil`, lost hints included, and releases those who wait.
    public func heal(_ operation: Operation? = nil) {
        let gates = state.withLock { state in
            let ended = state.barriers.filter { operation == nil || $0.operation == operation }
            state.barriers.removeAll { operation == nil || $0.operation == operation }
            if operation == nil {
                state.lostHints = []
            }
            state.faults.removeAll { operation == nil || $0.operation == operation }
            return ended.map(\.gate)
        }
        for gate in gates {
            gate.release()
        }
    }

    /// How often an operation was called, failed calls included.
    public func callCount(of operation: Operation) -> Int {
        state.withLock { $0.callCounts[operation, default: 0] }
    }

    // MARK: - Hints

    /// Whether the next hint arrives.
    func passesHint() -> Bool {
        state.withLock { state in
            var isLost = false
            for index in state.lostHints.indices where state.lostHints[index].next() {
                isLost = true
            }
            return !isLost
        }
    }

    /// Keeps what passes hints on for as long as the observer exists.
    func keep(_ relay: HintRelay) {
        state.withLock { state in
            state.relays.removeAll { $0.observer == nil }
            state.relays.append(relay)
        }
    }

    // MARK: - Calls

    /// Makes one call, with what was planned for it.
    func perform<Result>(
        _ operation: Operation,
        _ body: () async throws(EventStreamingError) -> Result
    ) async throws(EventStreamingError) -> Result {
        let plan = plan(operation)
        for (effect, gate) in plan.gates where effect == .before {
            guard await gate.pass() else {
                throw EventStreamingError(.cancelled, "The call was cancelled before it had any effect.")
            }
        }
        if let failure = plan.failure, failure.effect == .before {
            throw failure.error
        }
        let result = try await body()
        for (effect, gate) in plan.gates where effect == .after {
            _ = await gate.pass()
        }
        if let failure = plan.failure {
            throw failure.error
        }
        return result
    }

    private func plan(_ operation: Operation) -> Plan {
        state.withLock { state in
            state.callCounts[operation, default: 0] += 1
            var plan = Plan()
            for index in state.barriers.indices where state.barriers[index].operation == operation {
                if state.barriers[index].schedule.next() {
                    plan.gates.append((state.barriers[index].effect, state.barriers[index].gate))
                }
            }
            for index in state.faults.indices where state.faults[index].operation == operation {
                if state.faults[index].schedule.next(), plan.failure == nil {
                    plan.failure = (state.faults[index].effect, state.faults[index].error)
                }
            }
            return plan
        }
    }
}
