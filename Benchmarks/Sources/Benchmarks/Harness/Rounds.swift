/// Measures two things in turns, so that whatever else the machine does disturbs both.
struct Rounds: Sendable {
    let count: Int
    /// Whether to work on as many events as the targets speak of, where that takes minutes.
    var isFull = false

    /// One warm-up of each side, then baseline, value, baseline, value and so on.
    ///
    /// - Parameters:
    ///   - unit: What the figures mean.
    ///   - value: Measures once.
    ///   - baseline: Measures what to compare with, once.
    func compare(
        unit: String,
        _ value: () async throws -> Double,
        with baseline: () async throws -> Double
    ) async throws -> Measurement {
        _ = try await baseline()
        _ = try await value()
        var values: [Double] = []
        var baselines: [Double] = []
        for round in 1...count {
            baselines.append(try await baseline())
            values.append(try await value())
            let (value, baseline) = (values[round - 1], baselines[round - 1])
            Console.say(
                "  round \(round): \(value.text()) \(unit), baseline \(baseline.text()), "
                    + "ratio \((value / baseline).text(2))"
            )
        }
        let ratios = zip(values, baselines).map { $0 / $1 }
        return Measurement(
            value: values.median,
            unit: unit,
            baseline: baselines.median,
            ratio: ratios.median,
            ratios: (ratios.min() ?? 0)...(ratios.max() ?? 0)
        )
    }
}

extension [Double] {
    /// The middle one, or the mean of both in the middle. 0 when there are none.
    var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        let middle = count / 2
        return count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
