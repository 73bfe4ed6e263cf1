import DequeModule
import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

/// Where subscriptions leave the events they give up, on their way into a dead-letter stream; and the list of what is
/// open.
///
/// A settlement and its dead letters are one change, in two streams. Locking both streams would need an order, and
/// streams can be each other's dead-letter streams. So a subscription, under the lock of its own stream, puts dead
/// letters here and is done: the box has a lock of its own, under which no other is ever taken. The dead-letter stream
/// takes what lies here into its log before it does anything else. So nobody can see the one without the other.
final class DeadLetterBox: Sendable {
    private struct Arrival: Sendable {
        let letter: DeadLetter
        let record: NewEvent
        let time: Timestamp
    }

    private struct State: Sendable {
        var arrivals: [Arrival] = []
        var book = DeadLetterBook()
        /// Everything that was done with dead letters; an entry's number is its place.
        var audit: [DeadLetterAuditEntry] = []
    }

    private let state = Mutex(State())
    private let hasArrivals = Atomic(false)
    private let isInUse = Atomic(false)

    // MARK: - For the subscription

    /// Leaves dead letters; they get their numbers later.
    func deliver(_ letters: [DeadLetter], at time: Timestamp) {
        let records = letters.records(at: time)
        state.withLock { state in
            for (letter, record) in zip(letters, records) {
                state.arrivals.append(Arrival(letter: letter, record: record, time: time))
                state.book.expect(letter.consumer)
            }
            hasArrivals.store(true, ordering: .releasing)
            isInUse.store(true, ordering: .releasing)
        }
    }

    /// The open dead letters with numbers in `numbers`, in order.
    func open(in numbers: Range<Int64>, limit: Int = .max) -> [DeadLetter] {
        state.withLock { $0.book.open(in: numbers, limit: limit) }
    }

    /// Marks a dead letter as not open any more, and writes down who did it.
    ///
    /// - Returns: Whether it was open.
    func close(_ letter: DeadLetter, by action: DeadLetterAuditEntry.Action, _ note: AuditNote, at time: Timestamp)
        -> Bool
    {
        state.withLock { state in
            guard state.book.close(letter.number.rawValue) else { return false }
            state.audit.append(letter.auditEntry(number: Int64(state.audit.count), action, note, at: time))
            return true
        }
    }

    /// A page of the audit.
    func audit(from number: Int64, limit: Int) -> [DeadLetterAuditEntry] {
        state.withLock { state in
            let start = Int(clamping: max(0, number))
            return start < state.audit.count ? Array(state.audit[start...].prefix(limit)) : []
        }
    }

    /// How many dead letters of a position are open.
    func openCount(of consumer: ConsumerID?) -> Int {
        state.withLock { $0.book.openCount(of: consumer) }
    }

    /// The partition keys of everything that is open. Costs a look at all of it.
    var parkedKeys: ParkedKeys {
        state.withLock { state in
            var parked = ParkedKeys()
            state.book.add(to: &parked)
            for arrival in state.arrivals {
                parked.add(PartitionKey(of: arrival.letter.event), at: arrival.letter.event.offset.rawValue)
            }
            return parked
        }
    }

    // MARK: - For the stream

    /// Whether something waits for ``collect(from:)``.
    var isWaiting: Bool { hasArrivals.load(ordering: .acquiring) }

    /// Takes what was left here; it gets the numbers from `number` on.
    func collect(from number: Int64) -> [(record: NewEvent, time: Timestamp)] {
        state.withLock { state in
            hasArrivals.store(false, ordering: .releasing)
            let arrivals = state.arrivals
            state.arrivals = []
            for (index, arrival) in arrivals.enumerated() {
                state.book.enter(arrival.letter, number: number + Int64(index))
            }
            return arrivals.map { ($0.record, $0.time) }
        }
    }

    /// Forgets dead letters whose records were trimmed.
    func trim(before number: Int64) {
        guard isInUse.load(ordering: .acquiring) else { return }
        state.withLock { $0.book.trim(before: number) }
    }
}
