import Testing

@testable import EventStreamingGRPC

@Suite("What is known of a link")
struct GRPCLinkStateTests {
    private func state() -> GRPCLinkState { GRPCLinkState(interval: .seconds(10)) }

    @Test("without calls there is nothing to find out")
    func idle() {
        var state = state()
        #expect(state.next(now: .seconds(100)) == .wait)
        _ = state.begin(now: .seconds(100))
        _ = state.endCall()
        #expect(state.next(now: .seconds(1000)) == .wait)
    }

    @Test("the time begins with the first call, or with what was heard last")
    func quiet() {
        var state = state()
        let isFirst = state.begin(now: .seconds(100))
        let isSecond = state.begin(now: .seconds(105))
        #expect(isFirst == true && isSecond == false)
        #expect(state.next(now: .seconds(105)) == .waitUntil(.seconds(110)))
        #expect(state.next(now: .seconds(110)) == .probe(quietSince: .seconds(100)))
        state.heard(now: .seconds(107))
        #expect(state.next(now: .seconds(110)) == .waitUntil(.seconds(117)))
        // What was heard before does not count twice, nor backwards.
        state.heard(now: .seconds(101))
        #expect(state.next(now: .seconds(117)) == .probe(quietSince: .seconds(107)))
    }

    @Test("it is silent only where calls wait, and nothing was heard meanwhile")
    func silence() {
        var state = state()
        _ = state.begin(now: .zero)
        #expect(state.isSilent(since: .zero))
        state.heard(now: .seconds(11))
        #expect(!state.isSilent(since: .zero))
        _ = state.endCall()
        #expect(!state.isSilent(since: .seconds(11)))
    }

    @Test("that there is no connection is new once, until something is heard")
    func unreachable() {
        struct Refused: Error {}
        var state = state()
        _ = state.begin(now: .zero)
        let isNew = state.unreachable(Refused(), now: .seconds(10))
        let isNewAgain = state.unreachable(Refused(), now: .seconds(20))
        #expect(isNew && !isNewAgain)
        // The transport has its time to mend it.
        #expect(state.next(now: .seconds(20)) == .waitUntil(.seconds(30)))
        state.heard(now: .seconds(25))
        #expect(state.failure == nil)
        let isNewLater = state.unreachable(Refused(), now: .seconds(40))
        #expect(isNewLater)
    }

    @Test("it ends with the last call, and none begins any more")
    func ending() {
        var state = state()
        _ = state.begin(now: .zero)
        _ = state.begin(now: .zero)
        let isOver = state.end()
        #expect(!isOver && state.begin(now: .zero) == nil)
        let isOverAfterOne = state.endCall()
        let isOverAfterBoth = state.endCall()
        #expect(!isOverAfterOne && isOverAfterBoth)
    }

    @Test("it is dropped once")
    func ends() {
        var state = state()
        let isFirst = state.drop()
        let isSecond = state.drop()
        #expect(isFirst && !isSecond)
        #expect(state.next(now: .zero) == .end)
    }
}
