import EventStreamingCore
import Testing

@testable import EventStreamingStoreKit

@Suite("Rosters")
struct RosterTests {
    @Test("Places of consumers hold when others go")
    func roster() throws {
        var random = Seeded(5)
        var roster = Roster()
        var model: [ConsumerID: UInt64] = [:]
        for epoch in UInt64(1)...500 {
            let id = try ConsumerID("c\(UInt64.random(in: 0..<40, using: &random))")
            if model[id] == nil {
                let moment = Moment(now: Timestamp(nanosecondsSinceEpoch: 0), uptime: .zero)
                let membership = Membership(kind: .durable, epoch: epoch, at: moment, timeout: .seconds(1))
                roster.add(Consumer(id: id, membership: membership, cursor: Cursor(at: 0, tracksChanges: false)))
                model[id] = epoch
            } else {
                let removed = roster.remove(id)
                #expect(removed?.membership.epoch == model[id])
                model[id] = nil
            }
            for (id, epoch) in model {
                #expect(roster.place(of: id).map { roster[$0].membership.epoch } == epoch)
            }
            #expect(roster.sorted.map(\.id) == model.keys.sorted())
        }
    }
}
