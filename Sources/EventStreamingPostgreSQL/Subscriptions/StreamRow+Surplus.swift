#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

extension StreamRow {
    /// Drops the oldest events until the stream holds no more than it may. The events that were appended must have been
    /// inserted.
    ///
    /// What is dropped counts where somebody still had to finish it, so positions move up here and now: afterwards
    /// nobody could tell.
    mutating func dropSurplus(_ streams: StreamDirectory, _ session: Session) throws(EventStreamingError) {
        guard overflow == .dropOldest, let capacity, head - capacity > first else { return }
        let limit = head - capacity
        var unfinished = OffsetRanges()
        if positions == 0 {
            // A log that nobody subscribed to: nobody has seen any of them.
            unfinished = OffsetRanges(first..<limit)
        } else {
            for entry in try SubscriptionEntry.lockAll(of: self.entry.id, streams, session) {
                unfinished.formUnion(try Self.lap(entry, before: limit, session))
            }
        }
        dropped += Int64(unfinished.intersection(first..<limit).count)
        try trim(before: limit, session)
    }

    private static let settle = Statement("SELECT settle_stream($1::bigint)")

    /// Removes what every position has finished, where events are kept for no other purpose. The row must have been saved,
    /// and is out of date afterwards.
    func trimFinished(_ session: Session) throws(EventStreamingError) {
        guard entry.type == .ephemeral else { return }
        try session.rows(Self.settle) { $0.add(entry.id) }
    }

    /// Moves the positions of a subscription up to `limit`, for good.
    ///
    /// - Returns: The offsets that some position had not finished.
    static func lap(
        _ entry: SubscriptionEntry,
        before limit: Int64,
        _ session: Session
    ) throws(EventStreamingError) -> OffsetRanges {
        var loaded = try LoadedSubscription.load(entry, session)
        var floor = RetentionFloor()
        let unfinished = loaded.state.lap(before: limit, floor: &floor)
        var writer = SubscriptionWriter(loaded.record)
        writer.add(loaded.state.takeChanges())
        if !writer.isEmpty {
            try session.rows([writer.command(for: entry, loaded, first: nil)])
        }
        return unfinished
    }
}
#endif
