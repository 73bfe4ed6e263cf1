#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore: DeadLetterStore {
    /// How many dead letters are redriven in one transaction.
    private static let redrivenAtOnce = 10_000

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
    public func redrive(
        _ numbers: Range<StreamOffset>,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        let gate = try await gate(of: subscription)
        // What ran out may be given up, and gets its number now.
        try await change(gate) { _, _ in }
        var next = numbers.lowerBound.rawValue
        let end = numbers.upperBound.rawValue
        var total = 0
        while next < end {
            let redriven = try await redrive(next..<end, gate)
            total += redriven.count
            guard let last = redriven.last else { break }
            next = last + 1
        }
        return total
    }

    private struct Redriven: Sendable {
        let count: Int
        /// The last that was looked at; `nil` when there are no more.
        let last: Int64?
    }

    private func redrive(
        _ numbers: Range<Int64>,
        _ gate: SubscriptionGate
    ) async throws(EventStreamingError) -> Redriven {
        try await change(gate) { (state, work) throws(EventStreamingError) in
            let entry = work.entry
            let letters = try DeadLetterRows.open(
                of: entry,
                in: numbers,
                // By others who share this transaction.
                except: work.closedLetters,
                limit: Self.redrivenAtOnce,
                work.session
            )
            var closed: [Int64] = []
            for letter in letters where state.canRedrive(letter) {
                state.redrive(letter, at: work.moment, effects: &work.effects)
                closed.append(letter.number.rawValue)
            }
            if !closed.isEmpty {
                work.closedLetters += closed
            }
            let isLast = letters.count < Self.redrivenAtOnce
            return Redriven(count: closed.count, last: isLast ? nil : letters.last?.number.rawValue)
        }
    }
}
#endif
