import AllocationCounter
import Synchronization

/// The memory of the process while work is done: a sample after every hundredth, the first tenth being the warm-up.
final class MemorySamples: Sendable {
    private struct State {
        /// In megabytes, as is the heap.
        var resident: [Double] = []
        var heap: [Double] = []
        var next: Int
    }

    private let step: Int
    private let state: Mutex<State>

    init(of count: Int) {
        step = max(1, count / 100)
        state = Mutex(State(next: count / 10))
    }

    /// Takes a sample when it is time.
    func progressed(to count: Int) {
        state.withLock { state in
            guard count >= state.next else { return }
            state.next = count + step
            state.resident.append(Double(resident_bytes()) / 1e6)
            state.heap.append(Double(heap_bytes_in_use()) / 1e6)
        }
    }

    /// The largest against the smallest.
    func measurement() throws -> Measurement {
        let (resident, heap) = state.withLock { ($0.resident, $0.heap) }
        guard let least = resident.min(), let most = resident.max(), least > 0 else {
            throw Problem("The resident memory cannot be measured here.")
        }
        let ratio = most / least
        return Measurement(
            value: most,
            unit: "MB",
            baseline: least,
            ratio: ratio,
            ratios: ratio...ratio,
            extras: [
                ("heap-most", heap.max() ?? 0), ("heap-least", heap.min() ?? 0), ("samples", Double(resident.count)),
            ]
        )
    }
}
