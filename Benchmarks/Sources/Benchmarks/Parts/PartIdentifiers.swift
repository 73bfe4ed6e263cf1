import EventStreaming
import Foundation

extension Benchmark {
    static let partMessageID = Benchmark(
        "part-message-id",
        "a message id, as made for a batch of 128, against UUID()"
    ) { rounds in
        let generator = MessageIDGenerator(clock: SystemClock())
        let count = 100_000 / Sizes.batch * Sizes.batch
        return try await rounds.compare(unit: "ns") {
            let watch = Stopwatch()
            for _ in 0..<count / Sizes.batch {
                generator.next(Sizes.batch) { keep($0) }
            }
            return watch.nanoseconds(per: count)
        } with: {
            let watch = Stopwatch()
            for _ in 0..<count {
                keep(UUID())
            }
            return watch.nanoseconds(per: count)
        }
    }
}
