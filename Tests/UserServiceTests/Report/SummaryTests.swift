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
            tally: Tally(finished: Set(finished.map { ids[$0] }), repeated: repeated),
            deadLetters: Set(deadLetters.map { ids[$0] })
        )
    }

    private func makeSummary(
        _ count: Int,
        accepted: Int,
        _ sources: [Summary.Source],
        disordered: Int = 0,
        charges: [SeatCharge]? = nil
    ) -> Summary {
        Summary(
            heads: ["events": count],
            accepted: ["events": accepted],
            sources: sources,
            members: [],
            admins: [],
            disordered: disordered,
            charges: ChargeCheck(
                events: ids,
                charges: charges ?? ids.map { SeatCharge(event: "\($0)", user: "", cents: 0) }
            )
        )
    }

    @Test("Everything delivered or given up: nothing is lost")
    func complete() {
        let summary = makeSummary(
            4,
            accepted: 4,
            [source(finished: [0, 1, 3], deadLetters: [2]), source(finished: [0, 1, 2, 3], repeated: 2)]
        )
        #expect(summary.emitted == 4)
        #expect(summary.delivered == 7)
        #expect(summary.deadLettered == 1)
        #expect(summary.lost == 0)
        #expect(summary.isRight)
    }

    @Test("An event that no consumer saw is lost, and another's repetition does not hide it")
    func lost() {
        let summary = makeSummary(
            4,
            accepted: 4,
            [source(finished: [0, 1, 2], repeated: 1), source(finished: [0, 1, 2, 3])]
        )
        #expect(summary.lost == 1)
        #expect(summary.rows.map(\.lost) == [1, 0])
        #expect(!summary.isRight)
    }

    @Test("An event that was accepted and is in no stream is lost")
    func neverAppended() {
        let summary = makeSummary(3, accepted: 4, [source(finished: [0, 1, 2])])
        #expect(summary.emitted == 3)
        #expect(summary.lost == 1)
    }

    @Test("An event that was finished and given up counts once")
    func both() {
        let summary = makeSummary(2, accepted: 2, [source(finished: [0], deadLetters: [0])])
        #expect(summary.delivered == 1)
        #expect(summary.deadLettered == 0)
        #expect(summary.lost == 1)
    }

    @Test("A subscription that passes over some events has an expectation of its own")
    func filtered() {
        var source = source(finished: [0, 1])
        source.expected = 2
        #expect(makeSummary(4, accepted: 4, [source]).lost == 0)
        source.expected = 3
        #expect(makeSummary(4, accepted: 4, [source]).lost == 1)
    }

    @Test("Without a loss it is wrong, too, when something is out of order or charged wrongly")
    func wrong() {
        let all = [source(finished: [0, 1, 2, 3])]
        #expect(makeSummary(4, accepted: 4, all).isRight)
        #expect(!makeSummary(4, accepted: 4, all, disordered: 1).isRight)
        #expect(!makeSummary(4, accepted: 4, all, charges: []).isRight)
    }
}
