/// The outcome of a benchmark.
struct Measurement: Sendable {
    /// The median of the rounds.
    var value: Double
    var unit: String
    /// The median of the baseline's rounds.
    var baseline: Double
    /// The median of the ratios of value and baseline in each round.
    var ratio: Double
    /// The smallest and the largest of these ratios.
    var ratios: ClosedRange<Double>
    /// Further figures, in the order in which they are printed.
    var extras: [(name: String, value: Double)] = []

    subscript(name: String) -> Double? {
        extras.first { $0.name == name }?.value
    }
}
