public import EventStreamingCore
import EventStreamingStoreKit

extension SQLiteEventStreamStore: DeadLetterStore {
    /// A page of open dead letters.
    public func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter] {
        let moment = Moment(clock)
        return try await change(durable: false) { writer in
            let entry = try writer.subscription(subscription)
            try Validation.checkLimit(limit)
            // What ran out may be given up, and belongs to the list.
            try writer.arrive(in: entry.stream, at: moment)
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
            let entry = try writer.subscription(subscription)
            try writer.arrive(in: entry.stream, at: moment)
            return try writer.redrive(range, of: entry, at: moment)
        }
    }
}
