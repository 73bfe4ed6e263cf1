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

    /// Which open dead letters can be delivered again.
    public func redrivable(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try await change(subscription, numbers) { subscription, ranges, _, _ in
            subscription.redrivable(ranges).map(\.number)
        }
    }

    /// Delivers open dead letters again. Those of a type that the subscription does not want any more stay open.
    public func redrive(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try Validation.check(note)
        return try await change(subscription, numbers) { subscription, ranges, moment, effects in
            subscription.redrive(ranges, by: note, at: moment, effects: &effects) { definition, letter in
                marks.forget([letter.event.id], by: definition.processor(of: letter.consumer))
            }
        }
    }

    /// Gives open dead letters up for good.
    public func discard(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try Validation.check(note)
        return try await change(subscription, numbers) { subscription, ranges, moment, effects in
            subscription.discard(ranges, by: note, at: moment, effects: &effects)
        }
    }

    private func change(
        _ subscription: SubscriptionID,
        _ numbers: [Range<StreamOffset>],
        _ body: (inout Subscription, [Range<Int64>], Moment, inout SubscriptionEffects) -> [StreamOffset]
    ) async throws(EventStreamingError) -> [StreamOffset] {
        let handle = try handle(of: subscription)
        let ranges = try Validation.check(numbers)
        let moment = Moment(clock)
        // What ran out may be given up; and those that arrived must have their numbers first.
        handle.stream.change(at: moment) { _, _, _ in }
        handle.deadLetterStream.change(at: moment) { _, _, _ in }
        return handle.change(at: moment) { subscription, _, _, moment, effects in
            body(&subscription, ranges, moment, &effects)
        }
    }

    /// A page of the audit, which is kept for as long as the store.
    public func deadLetterAudit(
        of subscription: SubscriptionID,
        from number: Int64,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetterAuditEntry] {
        let handle = try handle(of: subscription)
        try Validation.checkLimit(limit)
        return handle.deadLetterStream.deadLetters.audit(from: number, limit: limit)
    }
}
