import CBaselines

/// Calls the baselines written in C.
enum Baseline {
    /// What `body` returns, a rate; throws why there is none.
    static func rate(_ body: () -> Double) throws -> Double {
        let rate = body()
        guard rate > 0 else { throw problem }
        return rate
    }

    /// Why the last call failed. To be asked right after it, in the same thread.
    static var problem: Problem { Problem("The baseline failed: \(String(cString: baseline_problem()))") }
}

extension Latency {
    init(_ latency: baseline_latency) {
        self.init(median: latency.p50 * 1e6, slowest: latency.p99 * 1e6)
    }
}
