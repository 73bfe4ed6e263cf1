/// Prints the outcome of a benchmark: one line for machines, one for people.
struct Report {
    let benchmark: Benchmark
    let result: Measurement

    func print(asJSON: Bool) {
        Swift.print(asJSON ? json : line)
        Console.say("  \(explanation)\n")
    }

    private var figures: [(name: String, text: String)] {
        [
            ("value", result.value.text()),
            ("unit", result.unit),
            ("baseline", result.baseline.text()),
            ("ratio", result.ratio.text(3)),
        ] + result.extras.map { ($0.name, $0.value.text(3)) }
    }

    private var line: String {
        (["BENCH name=\(benchmark.name)"] + figures.map { "\($0.name)=\($0.text)" }).joined(separator: " ")
    }

    private var json: String {
        let fields = figures.map { name, text in
            name == "unit" ? "\"unit\":\"\(text)\"" : "\"\(name)\":\(text)"
        }
        return "{\"name\":\"\(benchmark.name)\",\(fields.joined(separator: ","))}"
    }

    private var explanation: String {
        let (low, high) = (result.ratios.lowerBound.text(2), result.ratios.upperBound.text(2))
        let ratio = "\(result.ratio.text(2)) × baseline (\(low) to \(high))"
        guard let target = benchmark.target else { return ratio }
        return "\(ratio); target: \(target.description): \(target.isMet(result) ? "met" : "MISSED")"
    }
}

extension Double {
    /// The number with so many digits after the point: by default none from 1000 on, otherwise one.
    func text(_ digits: Int? = nil) -> String {
        guard isFinite, magnitude < 1e15 else { return "0" }
        let digits = digits ?? (magnitude >= 1000 ? 0 : 1)
        var scale = 1.0
        for _ in 0..<digits {
            scale *= 10
        }
        let scaled = Int((magnitude * scale).rounded())
        let sign = self < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % Int(scale))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(sign)\(scaled / Int(scale)).\(zeros)\(fraction)"
    }
}
