#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore: ConsumerOffsetStore {
    /// Moves a position, unless somebody registered since the caller looked.
    public func setOffset(
        _ offset: StreamOffset,
        of consumer: ConsumerID?,
        in subscription: SubscriptionID,
        epoch: UInt64
    ) async throws(EventStreamingError) -> StreamOffset {
        try await change(arrived(at: gate(of: subscription))) { (state, work) throws(EventStreamingError) in
            let offset = min(max(offset.rawValue, work.first), work.log.head)
            try state.setPosition(
                of: consumer,
                to: offset,
                epoch: epoch,
                floor: &work.floor,
                effects: &work.effects
            )
            return StreamOffset(offset)
        }
    }

    /// All positions of a subscription.
    public func positions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerPosition] {
        try await change(gate(of: subscription)) { state, _ in state.positions }
    }
}
#endif
