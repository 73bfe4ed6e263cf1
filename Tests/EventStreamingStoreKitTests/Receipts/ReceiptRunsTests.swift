import EventStreamingCore
import Testing

@testable import EventStreamingStoreKit

@Suite("Runs of receipts")
struct ReceiptRunsTests {
    private func time(_ seconds: Int64) -> Timestamp { Timestamp(nanosecondsSinceEpoch: seconds * 1_000_000_000) }

    private func delivered(_ ranges: [Range<Int64>], at seconds: Int64) -> ReceiptRuns {
        var runs = ReceiptRuns()
        for range in ranges {
            runs.markDelivered(OffsetRanges(range), at: time(seconds), keepingFrom: 0)
        }
        return runs
    }

    // MARK: - Merging

    @Test func whoReadsInOrderHasOneRun() throws {
        var runs = ReceiptRuns()
        for offset in Int64(0)..<100 {
            runs.markDelivered(OffsetRanges(offset..<offset + 1), at: time(offset), keepingFrom: 0)
            let count = try runs.markRead(OffsetRanges(offset..<offset + 1), at: time(offset), keeping: 0..<100)
            #expect(count == 1)
        }
        #expect(
            runs.runs == [ReceiptRun(0..<100, .read, deliveredAt: time(99), readAt: time(99), deliveries: 1)])
    }

    @Test func unreadEventsKeepTheirTimes() {
        var runs = delivered([0..<10], at: 1)
        runs.markDelivered(OffsetRanges(10..<20), at: time(1), keepingFrom: 0)
        #expect(runs.runs.map(\.offsets) == [0..<20])
        runs.markDelivered(OffsetRanges(20..<30), at: time(2), keepingFrom: 0)
        runs.markDelivered(OffsetRanges(5..<6), at: time(2), keepingFrom: 0)
        #expect(runs.runs.map(\.offsets) == [0..<5, 5..<6, 6..<20, 20..<30])
        #expect(runs.runs.map(\.deliveries) == [1, 2, 1, 1])
        #expect(runs.unreadCount(in: 0..<100) == 30)
        let count1 = runs.markUnreadAsRead(before: nil, at: time(3), keepingFrom: 0)
        #expect(count1 == 30)
        #expect(runs.runs == [ReceiptRun(0..<30, .read, deliveredAt: time(2), readAt: time(3), deliveries: 2)])
    }

    @Test func expiredEventsAreMergedToo() {
        var runs = delivered([0..<2], at: 1)
        runs.markDelivered(OffsetRanges(2..<4), at: time(2), keepingFrom: 0)
        runs.move(OffsetRanges(0..<4), from: .delivered, to: .expired, keepingFrom: 0)
        #expect(runs.runs == [ReceiptRun(0..<4, .expired, deliveredAt: time(2), deliveries: 1)])
    }

    // MARK: - Refusals

    @Test func whatWasNotDeliveredCannotBeRead() throws {
        var runs = delivered([0..<10, 20..<30], at: 1)
        let before = runs
        for range in [Int64(5)..<11, 10..<11, 15..<25, 29..<31, 40..<41] {
            let error = #expect(throws: EventStreamingError.self) {
                try runs.markRead(OffsetRanges(range), at: time(2), keeping: 0..<100)
            }
            #expect(error?.code == .notDelivered, "\(range)")
        }
        #expect(runs == before)
        let both = OffsetRanges(merging: [StreamOffset(0)..<StreamOffset(10), StreamOffset(20)..<StreamOffset(30)])
        let count2 = try runs.markRead(both, at: time(2), keeping: 0..<100)
        #expect(count2 == 20)
        let count3 = try runs.markRead(both, at: time(3), keeping: 0..<100)
        #expect(count3 == 0)
        #expect(runs.runs.map(\.readAt) == [time(2), time(2)])
    }

    @Test func whatHasExpiredCannotBeRead() {
        var runs = delivered([0..<10], at: 1)
        runs.move(OffsetRanges(4..<6), from: .delivered, to: .expired, keepingFrom: 0)
        let before = runs
        let error = #expect(throws: EventStreamingError.self) {
            try runs.markRead(OffsetRanges(0..<10), at: time(2), keeping: 0..<100)
        }
        #expect(error?.code == .receiptExpired)
        #expect(runs == before)
        let count4 = runs.markUnreadAsRead(before: 5, at: time(2), keepingFrom: 0)
        #expect(count4 == 4)
        #expect(runs.unreadCount(in: 0..<100) == 4)
    }

    @Test func whatTheStreamLostCountsAsGone() {
        var runs = delivered([0..<10], at: 1)
        let error = #expect(throws: EventStreamingError.self) {
            try runs.markRead(OffsetRanges(4..<6), at: time(2), keeping: 5..<100)
        }
        #expect(error?.code == .notDelivered)
        let count5 = runs.markUnreadAsRead(before: nil, at: time(2), keepingFrom: 5)
        #expect(count5 == 5)
        #expect(runs.runs.map(\.offsets) == [5..<10])
        let count6 = runs.removeGone(before: 9, limit: 5)
        #expect(count6 == 0)
        let count7 = runs.removeGone(before: 10, limit: 5)
        #expect(count7 == 1)
        #expect(runs.isEmpty)
    }

    // MARK: - Going back

    @Test func redeliveryGoesOn() {
        var runs = delivered([0..<3], at: 1)
        runs.move(OffsetRanges(1..<2), from: .delivered, to: .requeued, keepingFrom: 0)
        #expect(runs.unreadCount(in: 0..<10) == 3)
        #expect(runs.overdue(since: time(1), keepingFrom: 0).map(\.offsets) == [0..<1, 2..<3])
        runs.apply(.deliver(OffsetRanges(1..<2), read: OffsetRanges()), at: time(2), keepingFrom: 0)
        #expect(runs.run(at: 1) == ReceiptRun(1..<2, .delivered, deliveredAt: time(2), deliveries: 2))
        runs.move(OffsetRanges(1..<2), from: .expired, to: .requeued, keepingFrom: 0)
        #expect(runs.run(at: 1)?.status == .delivered)
    }

    // MARK: - Damage

    @Test func rowsThatOverlapGiveWay() {
        let run = ReceiptRun(0..<10, .read, deliveredAt: time(1), readAt: time(1), deliveries: 1)
        let runs = ReceiptRuns([run.with(8..<12), run.with(3..<5), run, run.with(20..<20)])
        #expect(runs.runs.map(\.offsets) == [0..<10, 10..<12])
    }

    @Test func countsDoNotOverflow() {
        let run = ReceiptRun(0..<1, .delivered, deliveredAt: time(1), deliveries: .max)
        #expect(run.delivered(at: time(2)).deliveries == Int(Int32.max))
        #expect(ReceiptRuns([run]).run(at: .max) == nil)
    }
}
