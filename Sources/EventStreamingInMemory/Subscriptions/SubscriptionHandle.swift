import EventStreamingCore
import EventStreamingStoreKit

/// Where a subscription is kept.
struct SubscriptionHandle: Sendable {
    let stream: InMemoryStream
    /// The subscription's place in the state of the stream.
    let place: Int
    let deadLetterStream: InMemoryStream
    let mode: SubscriptionMode

    /// Calls `body` with the subscription as it is at `moment`, under the lock of its stream.
    func change<Result: Sendable, Failure: Error>(
        at moment: Moment,
        _ body: (inout Subscription, EventLog, inout RetentionFloor, Moment, inout SubscriptionEffects) throws(Failure)
            -> Result
    ) throws(Failure) -> Result {
        try stream.change(at: moment) { (state, moment, effects) throws(Failure) in
            try state.withSubscription(place, at: moment, effects: &effects) {
                (subscription, log, floor, effects) throws(Failure) in
                try body(&subscription, log, &floor, moment, &effects)
            }
        }
    }

    /// Calls `body` with the receipts of the subscription as they are at `moment`, under the lock of its stream.
    ///
    /// - Parameter consumer: Who has to be there; nobody when `nil`.
    /// - Throws: `unknownConsumer`.
    func withReceipts<Result: Sendable>(
        of consumer: ConsumerID? = nil,
        at moment: Moment,
        _ body: (inout ReceiptBook, borrowing StreamState, Moment) throws(EventStreamingError) -> Result
    ) throws(EventStreamingError) -> Result {
        try stream.change(at: moment) { (state, moment, _) throws(EventStreamingError) in
            if let consumer, !state.subscriptions[place].state.hasConsumer(consumer) {
                throw .unknownConsumer(consumer, of: state.subscriptions[place].state.definition.id)
            }
            var receipts = ReceiptBook()
            swap(&receipts, &state.subscriptions[place].receipts)
            defer { swap(&receipts, &state.subscriptions[place].receipts) }
            return try body(&receipts, state, moment)
        }
    }
}
