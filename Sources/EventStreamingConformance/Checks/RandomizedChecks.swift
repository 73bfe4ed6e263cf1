import EventStreamingCore

enum RandomizedChecks {
    static let all: [StoreCheck] = [
        StoreCheck("random: competing consumers against a model") { harness in
            try await run(harness, mode: .exclusive, seeds: 1...12)
        },
        StoreCheck("random: a broadcast's consumers against a model") { harness in
            try await run(harness, mode: .broadcast, seeds: 101...112)
        },
    ]

    private static func run(_ harness: StoreHarness, mode: SubscriptionMode, seeds: ClosedRange<UInt64>) async throws {
        for seed in seeds {
            do {
                let stream = try await harness.makeStream("stream-\(seed)")
                var run = try await RandomizedRun(harness: harness, stream: stream, mode: mode, seed: seed)
                try await run.steps(400)
                try await run.drain()
            } catch let failure as ConformanceFailure {
                throw ConformanceFailure(
                    message: "seed \(seed): \(failure.message)",
                    file: failure.file,
                    line: failure.line
                )
            } catch {
                throw ConformanceFailure(message: "seed \(seed): \(error)", file: #fileID, line: #line)
            }
        }
    }
}
