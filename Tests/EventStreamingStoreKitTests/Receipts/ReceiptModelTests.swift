import EventStreamingCore
import Testing

@testable import EventStreamingStoreKit

@Suite("Runs of receipts do what single receipts do")
struct ReceiptModelTests {
    /// The rows of a store, from which each change loads only those that overlap or touch its offsets.
    private struct Rows {
        var rows: [Int64: ReceiptRun] = [:]

        func load(_ offsets: OffsetRanges) -> ReceiptRuns {
            ReceiptRuns(
                rows.values.filter { row in
                    offsets.ranges.contains {
                        $0.lowerBound <= row.offsets.upperBound && row.offsets.lowerBound <= $0.upperBound
                    }
                }
            )
        }

        mutating func apply(_ changes: ReceiptRunChanges) {
            for key in changes.removed {
                rows[key] = nil
            }
            for run in changes.written {
                rows[run.offsets.lowerBound] = run
            }
        }
    }

    @Test(arguments: UInt64(1)...60)
    func histories(seed: UInt64) {
        var random = Seeded(seed)
        var model = ReceiptModel()
        var runs = ReceiptRuns()
        var rows = Rows()
        var first: Int64 = 0
        for step in 1...300 {
            // Few different times, so that unread neighbours often can be merged.
            let time = Timestamp(nanosecondsSinceEpoch: Int64(step / 20))
            var offsets = OffsetRanges()
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let low = Int64.random(in: first...first + 40, using: &random)
                offsets.formUnion(OffsetRanges(low..<low + Int64.random(in: 0...9, using: &random)))
            }
            let all = Array(offsets.ranges.joined())
            var part = rows.load(offsets)
            var loaded = part
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<4:
                model.markDelivered(all, at: time)
                runs.markDelivered(offsets, at: time, keepingFrom: first)
                part.markDelivered(offsets, at: time, keepingFrom: first)
            case 4..<7:
                let expected = model.markRead(all, at: time)
                let whole = Self.markRead(offsets, in: &runs, at: time, first)
                #expect(whole == expected, "seed \(seed) step \(step)")
                let partly = Self.markRead(offsets, in: &part, at: time, first)
                #expect(partly == expected, "seed \(seed) step \(step)")
            case 7:
                let end = Bool.random(using: &random) ? nil : offsets.lowest
                let expected = model.markUnread(before: end, at: time)
                let whole = runs.markUnreadAsRead(before: end, at: time, keepingFrom: first)
                #expect(whole == expected, "seed \(seed)")
                part = ReceiptRuns(Array(rows.rows.values))
                loaded = part
                let loadedCount = part.markUnreadAsRead(before: end, at: time, keepingFrom: first)
                #expect(loadedCount == expected, "seed \(seed)")
            case 8..<11:
                let old = ReadReceipt.Status.allCases.randomElement(using: &random) ?? .delivered
                let new = old == .delivered ? ReadReceipt.Status.requeued : .expired
                guard old != .read, old != .expired || Bool.random(using: &random) else { continue }
                let target = old == .expired ? ReadReceipt.Status.requeued : new
                model.move(all, from: old, to: target)
                runs.move(offsets, from: old, to: target, keepingFrom: first)
                part.move(offsets, from: old, to: target, keepingFrom: first)
            default:
                first += Int64.random(in: 0...6, using: &random)
                model.trim(before: first)
            }
            rows.apply(part.changes(from: loaded))
            let difference = model.difference(to: runs, keepingFrom: first)
            #expect(difference == nil, "seed \(seed) step \(step)")
            #expect(ReceiptRuns(Array(rows.rows.values)) == runs, "seed \(seed) step \(step)")
            Self.checkShape(runs, keepingFrom: first, seed)
            let unread = model.entries.values.count { $0.status.isUnread }
            #expect(runs.unreadCount(in: first..<1000) == unread, "seed \(seed) step \(step)")
            if difference != nil {
                return
            }
        }
    }

    private static func markRead(
        _ offsets: OffsetRanges,
        in runs: inout ReceiptRuns,
        at time: Timestamp,
        _ first: Int64
    ) -> ReceiptModel.Outcome {
        let before = runs
        do throws(EventStreamingError) {
            return .read(try runs.markRead(offsets, at: time, keeping: first..<1000))
        } catch {
            #expect(runs == before)
            return .refused(error.code)
        }
    }

    /// In order, without overlaps, and nothing left that could be merged.
    private static func checkShape(_ runs: ReceiptRuns, keepingFrom first: Int64, _ seed: UInt64) {
        for (left, right) in zip(runs.runs, runs.runs.dropFirst()) {
            #expect(left.offsets.upperBound <= right.offsets.lowerBound, "seed \(seed)")
            var merged = left
            let isMerged = merged.merge(with: right, keepingFrom: first)
            #expect(!isMerged, "seed \(seed): \(left) and \(right)")
        }
    }
}
