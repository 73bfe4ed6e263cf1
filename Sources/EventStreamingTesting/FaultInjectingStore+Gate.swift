import Synchronization

extension FaultInjectingStore {
    /// Where calls wait until the test lets them go on.
    public final class Gate: Sendable {
        private typealias Continuation = CheckedContinuation<Bool, Never>

        /// A caller between arriving and waiting; one that is in neither table has been answered.
        private enum Arrival {
            case expected
            case cancelled
        }

        private struct State {
            var isOpen = false
            var arrivals = 0
            var lastTicket: UInt64 = 0
            var expected: [UInt64: Arrival] = [:]
            var waiting: [UInt64: Continuation] = [:]
            var watchers: [UInt64: (count: Int, continuation: Continuation)] = [:]
        }

        private enum Goal {
            case release
            case arrivals(Int)
        }

        private let state = Mutex(State())

        init() {}

        /// How many calls have arrived here so far, those that went on included.
        public var arrivals: Int { state.withLock { $0.arrivals } }

        /// How many calls wait here now.
        public var waitingCount: Int { state.withLock { $0.waiting.count } }

        /// Lets everyone who waits go on, and everyone who comes later pass.
        public func release() {
            let continuations = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [:] }
                return state.waiting.sorted { $0.key < $1.key }.map(\.value)
            }
            for continuation in continuations {
                continuation.resume(returning: true)
            }
        }

        /// Waits until at least `count` calls have arrived; returns at once when they have.
        ///
        /// - Throws: `CancellationError` as soon as the task is cancelled.
        public func waitForArrivals(_ count: Int) async throws {
            guard await wait(for: .arrivals(count)) else { throw CancellationError() }
        }

        /// Waits for the release.
        ///
        /// - Returns: Whether it came; `false` when the task was cancelled first.
        func pass() async -> Bool {
            await wait(for: .release)
        }

        private func wait(for goal: Goal) async -> Bool {
            let ticket = state.withLock { state in
                state.lastTicket += 1
                state.expected[state.lastTicket] = .expected
                return state.lastTicket
            }
            return await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    arrive(ticket, for: goal, continuation)
                }
            } onCancel: {
                cancel(ticket)
            }
        }

        private func arrive(_ ticket: UInt64, for goal: Goal, _ continuation: Continuation) {
            let answers = state.withLock { state -> [(Continuation, Bool)] in
                let isCancelled = state.expected.removeValue(forKey: ticket) == .cancelled
                switch goal {
                case .arrivals(let count):
                    if isCancelled || state.arrivals >= count {
                        return [(continuation, !isCancelled)]
                    }
                    state.watchers[ticket] = (count, continuation)
                    return []
                case .release:
                    state.arrivals += 1
                    var answers = Self.satisfied(&state).map { ($0, true) }
                    if isCancelled || state.isOpen {
                        answers.append((continuation, !isCancelled))
                    } else {
                        state.waiting[ticket] = continuation
                    }
                    return answers
                }
            }
            for (continuation, answer) in answers {
                continuation.resume(returning: answer)
            }
        }

        private func cancel(_ ticket: UInt64) {
            let continuation = state.withLock { state -> Continuation? in
                if state.expected[ticket] != nil {
                    state.expected[ticket] = .cancelled
                    return nil
                }
                return state.waiting.removeValue(forKey: ticket)
                    ?? state.watchers.removeValue(forKey: ticket)?.continuation
            }
            continuation?.resume(returning: false)
        }

        private static func satisfied(_ state: inout State) -> [Continuation] {
            let arrivals = state.arrivals
            let satisfied = state.watchers.filter { $0.value.count <= arrivals }
            for ticket in satisfied.keys {
                state.watchers[ticket] = nil
            }
            return satisfied.values.map(\.continuation)
        }
    }
}
