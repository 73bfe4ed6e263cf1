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

    /// Which open dead letters can be delivered again.
    public func redrivable(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> [StreamOffset] {
        let moment = Moment(clock)
        return try await change(durable: false) { writer in
            let entry = try writer.subscription(subscription)
            let ranges = try Validation.check(numbers)
            try writer.arrive(in: entry.stream, at: moment)
            return try writer.redrivable(ranges, of: entry).map(\.number)
        }
    }

    /// Delivers open dead letters again. Those of a type that the subscription does not want any more stay open.
    ///
    /// In one transaction, for which all of them are read: redrive very many in several calls.
    public func redrive(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try Validation.check(note)
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            let entry = try writer.subscription(subscription)
            let ranges = try Validation.check(numbers)
            try writer.arrive(in: entry.stream, at: moment)
            return try writer.redrive(ranges, of: entry, by: note, at: moment)
        }
    }

    /// Gives open dead letters up for good, in one transaction.
    public func discard(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try Validation.check(note)
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            let entry = try writer.subscription(subscription)
            let ranges = try Validation.check(numbers)
            try writer.arrive(in: entry.stream, at: moment)
            return try writer.discard(ranges, of: entry, by: note, at: moment)
        }
    }

    /// A page of the audit.
    public func deadLetterAudit(
        of subscription: SubscriptionID,
        from number: Int64,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetterAuditEntry] {
        try await change(durable: false) { writer in
            let entry = try writer.subscription(subscription)
            try Validation.checkLimit(limit)
            return try writer.auditEntries(of: entry, from: number, limit: limit)
        }
    }
}
