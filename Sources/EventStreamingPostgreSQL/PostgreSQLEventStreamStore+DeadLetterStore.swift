#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore: DeadLetterStore {
    /// A page of open dead letters.
    public func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter] {
        let entry = try await gate(of: subscription).entry
        try Validation.checkLimit(limit)
        // What ran out may be given up, and belongs to the list.
        try await change(gate(of: subscription)) { _, _ in }
        return try await withSession { (session) throws(EventStreamingError) in
            try DeadLetterRows.open(of: entry, in: number.rawValue..<Int64.max, limit: limit, session)
        }
    }

    /// Which open dead letters can be delivered again.
    public func redrivable(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try await change(subscription, numbers) { (state, work, ranges) throws(EventStreamingError) in
            try Self.open(in: ranges, work).filter { state.canRedrive($0) }.map(\.number)
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
        return try await change(subscription, numbers) { (state, work, ranges) throws(EventStreamingError) in
            let definition = state.definition
            let letters = try Self.open(in: ranges, work).filter { state.canRedrive($0) }
            for letter in letters {
                work.unprocessed.append(
                    ProcessedEvents([letter.event.id], by: definition.processor(of: letter.consumer))
                )
                state.redrive(letter, at: work.moment, effects: &work.effects)
                work.closed.append(letter.auditEntry(number: 0, .redriven, note, at: work.moment.now))
            }
            return letters.map(\.number)
        }
    }

    /// Gives open dead letters up for good, in one transaction.
    public func discard(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try Validation.check(note)
        return try await change(subscription, numbers) { (state, work, ranges) throws(EventStreamingError) in
            let letters = try Self.open(in: ranges, work)
            state.noteDiscarded(effects: &work.effects)
            work.closed += letters.map { $0.auditEntry(number: 0, .discarded, note, at: work.moment.now) }
            return letters.map(\.number)
        }
    }

    private func change(
        _ subscription: SubscriptionID,
        _ numbers: [Range<StreamOffset>],
        _ body:
            @escaping @Sendable (inout SubscriptionState, SubscriptionWork, [Range<Int64>])
            throws(EventStreamingError) -> [StreamOffset]
    ) async throws(EventStreamingError) -> [StreamOffset] {
        let gate = try await gate(of: subscription)
        let ranges = try Validation.check(numbers)
        // What ran out may be given up, and gets its number now.
        try await change(gate) { _, _ in }
        return try await change(gate) { (state, work) throws(EventStreamingError) in
            try body(&state, work, ranges)
        }
    }

    /// The open dead letters, but for those that others close who share this transaction.
    private static func open(
        in ranges: [Range<Int64>],
        _ work: SubscriptionWork
    ) throws(EventStreamingError) -> [DeadLetter] {
        try DeadLetterRows.open(of: work.entry, in: ranges, except: work.closedLetters, work.session)
    }

    /// A page of the audit.
    public func deadLetterAudit(
        of subscription: SubscriptionID,
        from number: Int64,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetterAuditEntry] {
        let entry = try await gate(of: subscription).entry
        try Validation.checkLimit(limit)
        return try await withSession { (session) throws(EventStreamingError) in
            try DeadLetterRows.audit(of: entry, from: number, limit: limit, session)
        }
    }
}
#endif
