/// Something that is measured, with what it is measured against and what it should reach.
struct Benchmark: Sendable {
    /// The name, as given to `--filter`.
    let name: String
    /// What is done, in one line.
    let summary: String
    /// What should be reached; `nil` for a benchmark that only informs.
    let target: Target?
    /// Measures. Throws when the work was not done as it should have been, so that no number is given.
    let run: @Sendable (Rounds) async throws -> Measurement

    init(
        _ name: String,
        _ summary: String,
        target: Target? = nil,
        run: @escaping @Sendable (Rounds) async throws -> Measurement
    ) {
        self.name = name
        self.summary = summary
        self.target = target
        self.run = run
    }
}

/// What a benchmark should reach.
struct Target: Sendable {
    let description: String
    let isMet: @Sendable (Measurement) -> Bool

    init(_ description: String, _ isMet: @escaping @Sendable (Measurement) -> Bool) {
        self.description = description
        self.isMet = isMet
    }

    static func ratio(atLeast ratio: Double) -> Target {
        Target("at least \(ratio.text(2)) × baseline") { $0.ratio >= ratio }
    }
}
