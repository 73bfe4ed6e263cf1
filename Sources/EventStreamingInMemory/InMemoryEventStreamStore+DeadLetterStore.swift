public import EventStreamingCore
import EventStreamingStoreKit

extension InMemoryEventStreamStore: DeadLetterStore {
    /// A page of open dead letters.
    public func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter] {
        let stream = try handle(of: subscription).deadLetterStream
        try Validation.checkLimit(limit)
        return stream.change(at: Moment(clock)) { state, _, _ in
            state.deadLetters.open(in: number.rawValue..<Int64.max, limit: limit)
        }
    }

    /// Delivers open dead letters again. Those of a type that the subscription does not want any more stay open.
    public func redrive(
        _ numbers: Range<StreamOffset>,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        let handle = try handle(of: subscription)
        let moment = Moment(clock)
        // Those that arrived must have their numbers first.
        handle.deadLetterStream.change(at: moment) { _, _, _ in }
        return handle.change(at: moment) { subscription, _, _, moment, effects in
            let range = numbers.lowerBound.rawValue..<numbers.upperBound.rawValue
            return subscription.redrive(range, at: moment, effects: &effects)
        }
    }
}
