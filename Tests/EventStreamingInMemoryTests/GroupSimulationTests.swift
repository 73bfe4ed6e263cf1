import EventStreamingConformance
import EventStreamingInMemory
import Foundation
import Testing

@Suite("Simulation of consumer groups", .timeLimit(.minutes(10)))
struct GroupSimulationTests {
    /// Where the seeds begin; `GROUP_SEEDS=5000-5999` runs others.
    private static let seeds: ClosedRange<UInt64> = {
        let bounds = (ProcessInfo.processInfo.environment["GROUP_SEEDS"] ?? "").split(separator: "-").compactMap {
            UInt64($0)
        }
        return bounds.count == 2 && bounds[0] <= bounds[1] ? bounds[0]...bounds[1] : 1000...1199
    }()

    @Test("No history breaks a rule of groups")
    func rules() async throws {
        for seed in Self.seeds {
            try await StoreConformance.groupSimulation(seeds: seed...seed).run {
                InMemoryEventStreamStore(clock: $0, seed: seed)
            }
        }
    }
}
