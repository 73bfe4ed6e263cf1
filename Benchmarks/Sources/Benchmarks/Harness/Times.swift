import Synchronization

/// When each event was emitted, and how long it took then.
final class Times: Sendable {
    private struct State {
        var began: [ContinuousClock.Instant?]
        var taken: [Double] = []
    }

    private let state: Mutex<State>
    private let count: Int

    init(count: Int) {
        self.count = count
        state = Mutex(State(began: Array(repeating: nil, count: count)))
    }

    var areComplete: Bool { state.withLock { $0.taken.count == count } }

    func begin(_ number: Int) {
        state.withLock { $0.began[number] = .now }
    }

    func end(_ number: Int) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard state.began.indices.contains(number), let began = state.began[number] else { return }
            state.began[number] = nil
            state.taken.append(Double((now - began).components.attoseconds) / 1e12)
        }
    }

    /// The first tenth is the warm-up.
    func latency() throws -> Latency {
        let taken = state.withLock { $0.taken }
        guard taken.count == count else { throw Problem("\(taken.count) events arrived instead of \(count).") }
        return Latency(of: Array(taken.dropFirst(count / 10)))
    }
}
