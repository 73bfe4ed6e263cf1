import EventStreaming
import Testing

@testable import UserService

@Suite("Charge check")
struct ChargeCheckTests {
    private let ids: [MessageID] = {
        let generator = MessageIDGenerator(clock: SystemClock())
        return (0..<3).map { _ in generator.next() }
    }()

    private func check(_ rows: [Int], of events: Int) -> ChargeCheck {
        let charges = rows.map { SeatCharge(event: "\(ids[$0])", user: "ada", cents: SeatCharge.price) }
        return ChargeCheck(events: Array(ids.prefix(events)), charges: charges)
    }

    @Test("A row for each event is right")
    func exact() {
        #expect(check([], of: 0).isExact)
        let check = check([1, 0, 2], of: 3)
        #expect(check.isExact)
        #expect(check.text == "seat-billing: 3 rows for 3 events, 3 seats to pay")
    }

    @Test("A row too many does not make up for one that is missing")
    func wrong() {
        let both = check([0, 0, 2], of: 3)
        #expect(both.uncharged == 1 && both.chargedTwice == 1 && !both.isExact)
        let missing = check([0], of: 2)
        #expect(missing.uncharged == 1 && missing.chargedTwice == 0 && !missing.isExact)
        let twice = check([0, 0, 0], of: 1)
        #expect(twice.uncharged == 0 && twice.chargedTwice == 2 && !twice.isExact)
    }

    @Test("A row for no event is one too many")
    func unknown() {
        #expect(check([0, 2], of: 1).chargedTwice == 1)
    }
}
