import EventStreamingCore
import EventStreamingStoreKit

/// A subscription, part of its stream's state and under the same lock, and where its dead letters go.
struct Subscription: Sendable {
    var state: SubscriptionState
    let deadLetters: DeadLetterBox
    /// What users were given and have read; empty in modes without receipts.
    var receipts = ReceiptBook()

    /// Puts events into the dead-letter stream. Cannot fail, and is part of the same change as what gave them up.
    func bury(_ givenUp: [GivenUp], log: EventLog, at moment: Moment, effects: inout Effects) {
        guard !givenUp.isEmpty else { return }
        let letters = givenUp.compactMap { event in
            (event.redriven ?? log.event(at: event.offset)).map { event.deadLetter($0, of: state.definition) }
        }
        deadLetters.deliver(letters, at: moment.now)
        effects.addDeadLetters(to: state.definition.deadLetterStream)
    }

    /// The open dead letters that can be delivered again.
    mutating func redrivable(_ numbers: [Range<Int64>]) -> [DeadLetter] {
        numbers.flatMap { deadLetters.open(in: $0) }.filter { state.canRedrive($0) }
    }

    /// Delivers dead letters again that can be.
    ///
    /// - Parameter redriven: Told of each of them.
    /// - Returns: Their numbers.
    mutating func redrive(
        _ numbers: [Range<Int64>],
        by note: AuditNote,
        at moment: Moment,
        effects: inout SubscriptionEffects,
        _ redriven: (SubscriptionDefinition, DeadLetter) -> Void
    ) -> [StreamOffset] {
        var closed: [StreamOffset] = []
        for letter in redrivable(numbers) where deadLetters.close(letter, by: .redriven, note, at: moment.now) {
            state.redrive(letter, at: moment, effects: &effects)
            redriven(state.definition, letter)
            closed.append(letter.number)
        }
        return closed
    }

    /// Gives dead letters up for good.
    ///
    /// - Returns: Their numbers.
    func discard(
        _ numbers: [Range<Int64>],
        by note: AuditNote,
        at moment: Moment,
        effects: inout SubscriptionEffects
    ) -> [StreamOffset] {
        state.noteDiscarded(effects: &effects)
        return numbers.flatMap { deadLetters.open(in: $0) }
            .filter { deadLetters.close($0, by: .discarded, note, at: moment.now) }
            .map(\.number)
    }

    /// - Returns: `nil` when there is more to look at and the call should be repeated.
    mutating func dequeue(
        as registration: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?,
        at moment: Moment,
        log: EventLog,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) throws(EventStreamingError) -> DequeueResult? {
        let dequeued = try state.dequeue(
            as: registration,
            limit: limit,
            settling: settlement,
            at: moment,
            log: log,
            parkedKeys: { deadLetters.parkedKeys },
            floor: &floor,
            effects: &effects
        )
        switch dequeued {
        case .portion(let portion):
            let events = portion.redriven.map { [$0] } ?? log.events(at: portion.offsets)
            return .lease(Lease(portion, events: events, holder: registration))
        case .unfinished:
            return nil
        case .empty(let until):
            return .empty(until: until)
        }
    }
}
