import EventStreaming
import Testing

@testable import UserService

@Suite("Ledger")
struct LedgerTests {
    private let ids: [MessageID] = {
        let generator = MessageIDGenerator(clock: SystemClock())
        return (0..<4).map { _ in generator.next() }
    }()

    private func sighting(
        _ event: Int,
        at offset: Int64,
        of workflow: String = "ada",
        by consumer: String = "one"
    ) throws -> Sighting {
        Sighting(
            event: ids[event],
            offset: StreamOffset(offset),
            workflow: try WorkflowID(workflow),
            stream: "events",
            subscription: "analytics",
            consumer: consumer
        )
    }

    @Test("A ledger counts what happens, and each event once")
    func counts() throws {
        let ledger = Ledger()
        ledger.finished(try sighting(0, at: 3))
        ledger.finished(try sighting(0, at: 3, by: "two"))
        ledger.finished(try sighting(1, at: 4, by: "two"))
        ledger.accepted(stream: "events")
        ledger.touch()
        let tally = ledger.tally(of: "analytics")
        #expect(tally.finished == [ids[0], ids[1]])
        #expect(tally.repeated == 1)
        #expect(tally.shares == ["one": 1, "two": 1])
        #expect(ledger.accepted == ["events": 1])
        #expect(ledger.count == 5)
    }

    @Test("What was before the beginning is not counted")
    func beginning() throws {
        let ledger = Ledger()
        ledger.begin(at: ["events": StreamOffset(4)])
        ledger.finished(try sighting(0, at: 3))
        ledger.finished(try sighting(1, at: 4))
        #expect(ledger.tally(of: "analytics").finished == [ids[1]])
    }

    @Test("Events of one workflow have an order, those of others do not matter")
    func order() throws {
        let ledger = Ledger()
        ledger.finished(try sighting(0, at: 5))
        ledger.finished(try sighting(1, at: 2, of: "grace", by: "two"))
        #expect(ledger.tally(of: "analytics").disordered == 0)
        ledger.finished(try sighting(2, at: 4))
        #expect(ledger.tally(of: "analytics").disordered == 1)
        // An event that is handled again is behind others, and was in its place before.
        ledger.finished(try sighting(1, at: 2, of: "grace"))
        ledger.finished(try sighting(3, at: 6))
        #expect(ledger.tally(of: "analytics").disordered == 1)
    }
}
