/// How long something took, in microseconds.
struct Latency: Sendable {
    var median: Double
    var slowest: Double

    /// The median, and what one in a hundred exceeds.
    init(of times: [Double]) {
        let sorted = times.sorted()
        median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        slowest = sorted.isEmpty ? 0 : sorted[sorted.count - 1 - sorted.count / 100]
    }

    init(median: Double, slowest: Double) {
        self.median = median
        self.slowest = slowest
    }
}
