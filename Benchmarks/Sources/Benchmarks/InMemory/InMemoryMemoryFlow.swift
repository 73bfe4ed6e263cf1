import AllocationCounter
import EventStreaming
import Synchronization

extension Benchmark {
    static let inMemoryMemoryFlow = Benchmark(
        "inmemory-memory-flow",
        "the largest resident memory while 10 000 000 events flow through an ephemeral stream, against the smallest",
        target: Target("within ±10 %") { $0.value - $0.baseline <= 0.1 * ($0.value + $0.baseline) }
    ) { _ in
        guard resident_bytes() > 0 else { throw Problem("The resident memory cannot be measured here.") }
        let count = 10_000_000
        heap_trim()
        let samples = try await Service.run { streaming in
            try await flow(count, through: streaming)
        }
        guard let least = samples.resident.min(), let most = samples.resident.max() else {
            throw Problem("Nothing was sampled.")
        }
        let ratio = most / least
        return Measurement(
            value: most,
            unit: "MB",
            baseline: least,
            ratio: ratio,
            ratios: ratio...ratio,
            extras: [
                ("heap-most", samples.heap.max() ?? 0), ("heap-least", samples.heap.min() ?? 0),
                ("samples", Double(samples.resident.count)),
            ]
        )
    }

    private struct Samples: Sendable {
        /// In megabytes, as is the heap.
        var resident: [Double] = []
        var heap: [Double] = []

        mutating func take() {
            resident.append(Double(resident_bytes()) / 1e6)
            heap.append(Double(heap_bytes_in_use()) / 1e6)
        }
    }

    /// Publishes in batches, at most a window ahead of the consumer; samples after every hundredth, the first tenth
    /// being the warm-up.
    private static func flow(_ count: Int, through streaming: EventStreaming) async throws -> Samples {
        let window = Window(size: 4096)
        let samples = Mutex(Samples())
        _ = try await streaming.rate(of: count) { emitter in
            for begin in stride(from: 0, to: count, by: Sizes.batch) {
                await window.wait(toSend: begin)
                let batch = (begin..<min(count, begin + Sizes.batch)).map { PacketReceived(Label(number: $0)) }
                try await emitter.emit(batch)
            }
        } consume: { subscription in
            var arrivals = Arrivals(of: count)
            for try await batch in subscription.batches {
                for delivery in batch {
                    try arrivals.add(delivery.event(as: PacketReceived.self)?.label)
                    if arrivals.count.isMultiple(of: count / 100), arrivals.count > count / 10 {
                        samples.withLock { $0.take() }
                    }
                }
                window.received(arrivals.count)
                if arrivals.areComplete {
                    return try await batch.acknowledge()
                }
            }
            try arrivals.finish()
        }
        return samples.withLock { $0 }
    }
}

/// Keeps a publisher from running away from its consumer.
private final class Window: Sendable {
    private let size: Int
    private let received = Atomic(0)

    init(size: Int) {
        self.size = size
    }

    func received(_ count: Int) {
        received.store(count, ordering: .relaxed)
    }

    /// Waits until the consumer is near enough for event number `number` to be sent.
    func wait(toSend number: Int) async {
        while number - received.load(ordering: .relaxed) > size, !Task.isCancelled {
            await Task.yield()
        }
    }
}
