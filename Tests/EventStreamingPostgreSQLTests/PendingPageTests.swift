#if PostgreSQL
import EventStreamingCore
import Testing

@testable import EventStreamingPostgreSQL
@testable import EventStreamingStoreKit

@Suite("Pages of events that are read for several")
struct PendingPageTests {
    private let ids = MessageIDGenerator(clock: SystemClock())

    @Test("Bring everybody what it was handed out, once and in order", arguments: UInt64(1)...100)
    func bringWhatIsWanted(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let pending = (0..<Int.random(in: 1...6, using: &random)).map { _ in
            // From all there is to one in eight, at any place.
            let every = Int64.random(in: 1...8, using: &random)
            let first = Int64.random(in: 0..<40, using: &random)
            var offsets = OffsetRanges()
            for offset in first..<first + Int64.random(in: 1...30, using: &random)
            where offset % every == 0 || Int.random(in: 0..<10, using: &random) == 0 {
                offsets.append(offset)
            }
            return PendingEvents(offsets)
        }
        for page in PendingPage.pages(of: pending) {
            page.deliver(page.offsets.ranges.flatMap { $0.map(event) }, [:])
        }
        for events in pending {
            let wanted = events.offsets.ranges.flatMap { Array($0) }
            #expect(try events.take().map(\.offset.rawValue) == wanted)
        }
    }

    private func event(at offset: Int64) -> StoredEvent {
        StoredEvent(
            NewEvent(id: ids.next(), type: EventType(name: "Paid"), payload: .encoded([]), size: 0),
            offset: StreamOffset(offset),
            timestamp: Timestamp(nanosecondsSinceEpoch: 0)
        )
    }
}
#endif
