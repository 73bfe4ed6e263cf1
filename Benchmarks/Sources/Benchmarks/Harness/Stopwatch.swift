/// Measures how long something takes.
struct Stopwatch {
    private let began = ContinuousClock.now

    /// Since it was made.
    var seconds: Double {
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    /// The nanoseconds that one of `count` passes took so far.
    func nanoseconds(per count: Int) -> Double {
        seconds * 1e9 / Double(count)
    }

    /// How many passes a second were made so far.
    func rate(of count: Int) -> Double {
        Double(count) / seconds
    }
}

/// Keeps the compiler from leaving out what leads to `value`.
@inline(never)
func keep<Value>(_ value: borrowing Value) {}
