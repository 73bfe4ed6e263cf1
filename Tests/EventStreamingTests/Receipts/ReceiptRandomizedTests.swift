import Foundation
import Testing

@Suite("Read receipts: randomised runs", .timeLimit(.minutes(5)))
struct ReceiptRandomizedTests {
    /// The seed given by the environment, to repeat a run that failed.
    private static let givenSeed = ProcessInfo.processInfo.environment["EVENT_STREAMING_SEED"].flatMap { UInt64($0) }

    private static var seeds: [UInt64] {
        // Tasks take turns as they like, so a run is repeated several times.
        if let givenSeed { return Array(repeating: givenSeed, count: 50) }
        let first = UInt64.random(in: 0..<1_000_000_000)
        return (0..<60).map { first + $0 }
    }

    @Test(
        "whatever users, loops and the store do, an event has a receipt when it was acknowledged, and is read when it was marked"
    )
    func holds() async throws {
        for seed in Self.seeds {
            let violations = try await inTime(.seconds(60), "EVENT_STREAMING_SEED=\(seed)") {
                try await ReceiptRun(seed: seed)()
            }
            #expect(violations.isEmpty, "EVENT_STREAMING_SEED=\(seed): \(violations.prefix(5))")
            if !violations.isEmpty { break }
        }
    }
}
