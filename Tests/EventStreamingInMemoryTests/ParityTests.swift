import EventStreamingConformance
import EventStreamingCore
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Comparing stores", .timeLimit(.minutes(2)))
struct ParityTests {
    @Test("Two stores in memory decide alike, whatever their seeds", arguments: UInt64(1)...30)
    func memory(seed: UInt64) async throws {
        try await StoreParity.run(
            seed: seed,
            stores: [
                ("one", { clock in InMemoryEventStreamStore(clock: clock, seed: 1) }),
                ("another", { clock in InMemoryEventStreamStore(clock: clock, seed: seed &* 7919) }),
            ]
        )
    }

    @Test("A store that answers differently is found, with the call and both answers")
    func difference() async throws {
        do {
            try await StoreParity.run(
                seed: 1,
                stores: [
                    ("good", { clock in InMemoryEventStreamStore(clock: clock) }),
                    (
                        "bad",
                        { clock in
                            let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
                            store.fail(.settle, with: EventStreamingError(.leaseExpired, "Too late."), on: .every(9))
                            return store
                        }
                    ),
                ]
            )
            Issue.record("The difference was not found.")
        } catch let failure as ConformanceFailure {
            #expect(failure.message.contains("seed 1, step"))
            #expect(failure.message.contains("settle(lease:"))
            #expect(failure.message.contains("bad: eventStreaming.leaseExpired"))
        }
    }
}
