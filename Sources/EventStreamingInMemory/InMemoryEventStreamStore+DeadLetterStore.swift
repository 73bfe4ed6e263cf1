public import EventStreamingCore
import EventStreamingStoreKit

extension InMemoryEventStreamStore: DeadLetterStore {
    /// A page of open dead letters.
    public func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter] {
        let handle = try handle(of: subscription)
        try Validation.checkLimit(limit)
        let moment = Moment(clock)
        // What ran out may be given up, and belongs to the list.
        handle.stream.change(at: moment) { _, _, _ in }
        return handle.deadLetterStream.change(at: moment) { state, _, _ in
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
        // What ran out may be given up; and those that arrived must have their numbers first.
        handle.stream.change(at: moment) { _, _, _ in }
        handle.deadLetterStream.change(at: moment) { _, _, _ in }
        return handle.change(at: moment) { subscription, _, _, moment, effects in
            let range = numbers.lowerBound.rawValue..<numbers.upperBound.rawValue
            return subscription.redrive(range, at: moment, effects: &effects) { definition, letter in
                marks.forget([letter.event.id], by: definition.processor(of: letter.consumer))
            }
        }
    }
}
