public import EventStreamingCore
import EventStreamingStoreKit

extension SQLiteEventStreamStore: ConsumerOffsetStore {
    /// Moves a position, unless somebody registered since the caller looked.
    public func setOffset(
        _ offset: StreamOffset,
        of consumer: ConsumerID?,
        in subscription: SubscriptionID,
        epoch: UInt64
    ) async throws(EventStreamingError) -> StreamOffset {
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            let entry = try writer.subscription(subscription)
            try writer.arrive(in: entry.stream, at: moment)
            let offset = min(max(offset.rawValue, entry.stream.first), entry.stream.head)
            try writer.change(entry, at: moment) { state, floor, _, effects in
                try state.setPosition(of: consumer, to: offset, epoch: epoch, floor: &floor, effects: &effects)
            }
            try writer.begin()
            return StreamOffset(offset)
        }
    }

    /// All positions of a subscription.
    public func positions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerPosition] {
        let moment = Moment(clock)
        return try await change(durable: false) { writer in
            let entry = try writer.subscription(subscription)
            try writer.arrive(in: entry.stream, at: moment)
            return entry.state.positions
        }
    }
}
