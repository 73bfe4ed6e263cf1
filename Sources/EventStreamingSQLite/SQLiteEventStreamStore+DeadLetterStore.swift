public import EventStreamingCore
import EventStreamingStoreKit

extension SQLiteEventStreamStore: DeadLetterStore {
    /// A page of open dead letters.
    public func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter] {
        try await change(durable: false) { writer in
            let entry = try writer.subscription(subscription)
            try Validation.checkLimit(limit)
            return try writer.openDeadLetters(of: entry, in: number.rawValue..<Int64.max, limit: limit)
        }
    }

    /// Delivers open dead letters again. Those of a type that the subscription does not want any more stay open.
    public func redrive(
        _ numbers: Range<StreamOffset>,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            let range = numbers.lowerBound.rawValue..<numbers.upperBound.rawValue
            return try writer.redrive(range, of: writer.subscription(subscription), at: moment)
        }
    }
}
