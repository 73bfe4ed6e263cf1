/// One thing after the other at a rate, or slower where one takes too long.
struct Pace: Sendable {
    let count: Int
    let rate: Int

    func run(_ body: (Int) async throws -> Void) async throws {
        let clock = ContinuousClock()
        let began = clock.now
        for number in 0..<count {
            try await Task.sleep(until: began + .seconds(number) / rate, tolerance: .zero, clock: clock)
            try await body(number)
        }
    }
}
