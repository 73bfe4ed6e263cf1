import EventStreamingCore

extension Engine {
    /// How many events that are not asked for are read along, rather than ask the store once more.
    private static let longestGap = 32
    /// The most events read at once.
    private static let pageSize = 1000

    /// Returns when the store knows what loops and handlers of this service are done with for a user, so that whoever asks
    /// next sees it. Nothing else waits for that: the store is told with the next question, or sign of life.
    func reportFinished(for user: ConsumerID, in subscription: SubscriptionID) async {
        await releaseAbandoned()
        for consumer in consumers(named: user, of: subscription) {
            await consumer.reportFinished()
        }
    }

    /// The events of receipts, in order, without those that are gone meanwhile.
    func unreadEvents(
        _ receipts: [ReadReceipt],
        of stream: StreamName
    ) async throws(EventStreamingError) -> [UnreadEvent] {
        var events: [UnreadEvent] = []
        var index = receipts.startIndex
        while index < receipts.endIndex {
            let first = index
            var end = receipts[index].offsets.upperBound
            repeat {
                end = receipts[index].offsets.upperBound
                index += 1
            } while index < receipts.endIndex && end.distance(to: receipts[index].offsets.lowerBound) <= Self.longestGap
            let stretch = receipts[first..<index]
            var receipt = stretch.startIndex
            let records = try await records(in: receipts[first].offsets.lowerBound..<end, of: stream)
            for record in records {
                while receipt < stretch.endIndex, stretch[receipt].offsets.upperBound <= record.offset {
                    receipt += 1
                }
                if receipt < stretch.endIndex, stretch[receipt].offsets.contains(record.offset) {
                    events.append(UnreadEvent(record, stretch[receipt], engine: self))
                }
            }
        }
        return events
    }

    /// What the stream keeps of these offsets.
    private func records(
        in offsets: Range<StreamOffset>,
        of stream: StreamName
    ) async throws(EventStreamingError) -> [StoredEvent] {
        var records: [StoredEvent] = []
        var next = offsets.lowerBound
        while next < offsets.upperBound {
            let page: [StoredEvent]
            do throws(EventStreamingError) {
                let limit = min(next.distance(to: offsets.upperBound), Self.pageSize)
                page = try await store.read(stream, from: next, direction: .forward, limit: limit)
            } catch  where error.code == .offsetTrimmed {
                next = max(next.advanced(by: 1), try await store.metadata(of: stream).first)
                continue
            }
            guard let last = page.last else { break }
            records += page
            next = last.offset.advanced(by: 1)
        }
        return records
    }
}
