public import EventStreamingCore
import EventStreamingStoreKit

extension InMemoryEventStreamStore: ConsumerOffsetStore {
    /// Moves a position, unless somebody registered since the caller looked.
    public func setOffset(
        _ offset: StreamOffset,
        of consumer: ConsumerID?,
        in subscription: SubscriptionID,
        epoch: UInt64
    ) async throws(EventStreamingError) -> StreamOffset {
        try handle(of: subscription).change(at: Moment(clock)) {
            (subscription, log, floor, _, effects) throws(EventStreamingError) in
            let offset = min(max(offset.rawValue, log.first), log.head)
            try subscription.state.setPosition(
                of: consumer,
                to: offset,
                epoch: epoch,
                floor: &floor,
                effects: &effects
            )
            return StreamOffset(offset)
        }
    }

    /// All positions of a subscription.
    public func positions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerPosition] {
        try handle(of: subscription).change(at: Moment(clock)) { subscription, _, _, _, _ in
            subscription.state.positions
        }
    }
}
