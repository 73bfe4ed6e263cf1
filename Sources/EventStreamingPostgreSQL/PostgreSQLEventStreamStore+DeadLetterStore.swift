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

    /// Delivers open dead letters again. Those of a type that the subscription does not want any more stay open.
    ///
    /// In one transaction, for which all of them are read: redrive very many in several calls.
    public func redrive(
        _ numbers: Range<StreamOffset>,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        let gate = try await gate(of: subscription)
        // What ran out may be given up, and gets its number now.
        try await change(gate) { _, _ in }
        return try await change(gate) { (state, work) throws(EventStreamingError) in
            let letters = try DeadLetterRows.open(
                of: work.entry,
                in: numbers.lowerBound.rawValue..<numbers.upperBound.rawValue,
                // By others who share this transaction.
                except: work.closedLetters,
                limit: .max,
                work.session
            )
            var closed: [Int64] = []
            let definition = state.definition
            for letter in letters where state.canRedrive(letter) {
                work.unprocessed.append(
                    ProcessedEvents([letter.event.id], by: definition.processor(of: letter.consumer))
                )
                state.redrive(letter, at: work.moment, effects: &work.effects)
                closed.append(letter.number.rawValue)
            }
            work.closedLetters += closed
            return closed.count
        }
    }
}
#endif
