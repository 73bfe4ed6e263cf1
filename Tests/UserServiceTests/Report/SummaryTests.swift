import EventStreaming
import Testing

@testable import UserService

@Suite("Summary")
struct SummaryTests {
    private let ids: [MessageID] = {
        let generator = MessageIDGenerator(clock: SystemClock())
        return (0..<4).map { _ in generator.next() }
    }()

    private func source(finished: [Int], repeated: Int = 0, deadLetters: [Int] = []) -> Summary.Source {
        Summary.Source(
            subscription: "mail",
            stream: "events",
            tally: Ledger.Tally(finished: Set(finished.map { ids[$0] }), repeated: repeated),
            deadLetters: Set(deadLetters.map { ids[$0] })
        )
    }

    @Test("Everything delivered or given up: nothing is lost")
    func complete() {
        let summary = Summary(
            heads: ["events": 4],
            accepted: ["events": 4],
            sources: [source(finished: [0, 1, 3], deadLetters: [2]), source(finished: [0, 1, 2, 3], repeated: 2)]
        )
        #expect(summary.emitted == 4)
        #expect(summary.delivered == 7)
        #expect(summary.deadLettered == 1)
        #expect(summary.lost == 0)
    }

    @Test("An event that no consumer saw is lost, and another's repetition does not hide it")
    func lost() {
        let summary = Summary(
            heads: ["events": 4],
            accepted: ["events": 4],
            sources: [source(finished: [0, 1, 2], repeated: 1), source(finished: [0, 1, 2, 3])]
        )
        #expect(summary.lost == 1)
        #expect(summary.rows.map(\.lost) == [1, 0])
    }

    @Test("An event that was accepted and is in no stream is lost")
    func neverAppended() {
        let summary = Summary(heads: ["events": 3], accepted: ["events": 4], sources: [source(finished: [0, 1, 2])])
        #expect(summary.emitted == 3)
        #expect(summary.lost == 1)
    }

    @Test("An event that was finished and given up counts once")
    func both() {
        let summary = Summary(
            heads: ["events": 2],
            accepted: ["events": 2],
            sources: [source(finished: [0], deadLetters: [0])]
        )
        #expect(summary.delivered == 1)
        #expect(summary.deadLettered == 0)
        #expect(summary.lost == 1)
    }

    @Test("A ledger tells an observer of every change")
    func ledger() async throws {
        let ledger = Ledger()
        var changes = ledger.changes().makeAsyncIterator()
        #expect(await changes.next() != nil)
        ledger.finished(ids[0], at: StreamOffset(3), in: "events", of: "mail")
        #expect(await changes.next() != nil)
        ledger.finished(ids[0], at: StreamOffset(3), in: "events", of: "mail")
        ledger.accepted(stream: "events")
        ledger.touch()
        #expect(await changes.next() != nil)
        #expect(ledger.tally(of: "mail") == Ledger.Tally(finished: [ids[0]], repeated: 1))
        #expect(ledger.accepted == ["events": 1])
        #expect(ledger.count == 4)
    }
}
