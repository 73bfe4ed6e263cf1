import EventStreamingCore
import EventStreamingTesting

/// Makes the same random history on several stores, and compares every result and every error.
///
/// For authors of stores: what the checks of ``StoreConformance`` do not think of shows as a difference to the store in
/// memory. The history depends on the seed only.
///
/// ```swift
/// @Test("Decides as the store in memory", arguments: UInt64(1)...20)
/// func parity(seed: UInt64) async throws {
///     try await StoreParity.run(seed: seed, stores: [
///         ("memory", { clock in InMemoryEventStreamStore(clock: clock) }),
///         ("mine", { clock in try await MyStore(clock: clock) }),
///     ])
/// }
/// ```
public enum StoreParity {
    /// Runs one history.
    ///
    /// - Parameters:
    ///   - seed: Decides what happens.
    ///   - steps: How many calls are made on each store.
    ///   - stores: The stores, each with a name for messages; each is made once, fresh and empty, with a clock of its own.
    /// - Throws: ``ConformanceFailure`` with the seed, the step and the call, when two stores differ.
    @concurrent
    public static func run(
        seed: UInt64,
        steps: Int = 600,
        stores: [(name: String, make: StoreCheck.StoreFactory)]
    ) async throws {
        var sides: [ParitySide] = []
        for (name, make) in stores {
            let clock = ManualClock()
            sides.append(ParitySide(name: name, harness: StoreHarness(clock: clock, store: try await make(clock))))
        }
        var history = ParityHistory(seed: seed)
        for step in 0..<steps {
            let call = try history.next()
            var outcomes: [String] = []
            for index in sides.indices {
                outcomes.append(await sides[index].outcome(of: call))
            }
            for index in outcomes.indices where outcomes[index] != outcomes[0] {
                throw ConformanceFailure(
                    message: """
                        seed \(seed), step \(step): \(String(describing: call).prefix(600))
                          \(sides[0].name): \(outcomes[0])
                          \(sides[index].name): \(outcomes[index])
                        """,
                    file: #fileID,
                    line: #line
                )
            }
            if let side = sides.first {
                history.note(registrations: side.registrations.count, leases: side.leases.count)
            }
        }
    }
}
