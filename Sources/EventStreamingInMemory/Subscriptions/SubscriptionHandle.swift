import EventStreamingCore
import EventStreamingStoreKit

/// Where a subscription is kept.
struct SubscriptionHandle: Sendable {
    let stream: InMemoryStream
    /// The subscription's place in the state of the stream.
    let place: Int
    let deadLetterStream: InMemoryStream

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
}
