#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Does a group of operations to one subscription, and writes down what changed, all or nothing.
///
/// The state in memory is used when it is still the one in the database; it is changed there first, then its rows are
/// written on condition that nobody else has changed them meanwhile. So most operations take two round trips: one to
/// look, one to write; those that are certain to find their events without looking take one. When somebody was faster,
/// the rows are read and everything is done again; when that happens again and again, under a lock.
struct SubscriptionTransaction {
    /// What others must be told.
    struct Outcome: Sendable {
        var changed: Set<StreamName> = []
        var expired: [ConsumerRegistration] = []
    }

    private static let lock = Statement("SELECT FROM subscriptions WHERE id = $1::bigint FOR NO KEY UPDATE")
    private static let optimisticAttempts = 3
    private static let attempts = 6

    enum Failure: Error {
        /// Somebody else was faster.
        case conflict
        case other(EventStreamingError)

        init(database error: DatabaseError) {
            self.init(error.eventStreamingError)
        }

        init(_ error: EventStreamingError) {
            self = error.isConflict ? .conflict : .other(error)
        }
    }

    let gate: SubscriptionGate
    let operations: [SubscriptionOperation]
    let streams: StreamDirectory
    let clock: any EventStreamingClock
    let usesServerTime: Bool

    var entry: SubscriptionEntry { gate.entry }

    func run(_ session: Session) throws(EventStreamingError) -> Outcome {
        var attempt = 1
        while true {
            do throws(Failure) {
                if attempt <= Self.optimisticAttempts {
                    return try runOnce(session, isLocked: false)
                }
                return try runLocked(session)
            } catch {
                switch error {
                case .other(let error): throw error
                case .conflict:
                    guard attempt < Self.attempts else {
                        throw EventStreamingError(
                            .storeUnavailable,
                            "Subscription '\(entry.name)' is changed by too many at once; nothing was changed, try again."
                        )
                    }
                    attempt += 1
                }
            }
        }
    }

    /// Keeps others away from the beginning.
    private func runLocked(_ session: Session) throws(Failure) -> Outcome {
        try session.transaction(orThrow: Failure.init(database:)) { (session) throws(Failure) in
            try lockAndRun(session)
        }
    }

    private func lockAndRun(_ session: Session) throws(Failure) -> Outcome {
        try translating { () throws(EventStreamingError) in
            _ = try StreamRow.lock([entry.stream, entry.deadLetterStream], session)
            try session.rows(Self.lock) { $0.add(entry.id) }
        }
        return try runOnce(session, isLocked: true)
    }

    /// Does the operations in the transaction that is open, and throws the refusal of the only one of them.
    func runWithin(_ session: Session) throws(EventStreamingError) -> Outcome {
        do throws(Failure) {
            return try lockAndRun(session)
        } catch {
            switch error {
            case .other(let error): throw error
            case .conflict:
                throw DatabaseError(message: "conflict", sqlState: "40001", isFatal: false).eventStreamingError
            }
        }
    }

    private func runOnce(_ session: Session, isLocked: Bool) throws(Failure) -> Outcome {
        var (loaded, work) = try begin(session, isLocked: isLocked)
        let writer = try apply(to: &loaded, work)
        let isPlain =
            work.effects.givenUp.isEmpty && work.closed.isEmpty && !work.changesPositions
            && (entry.stream.type == .persistent || writer.isEmpty)
        // What is more than that has to be done with the stream as it is.
        guard isPlain || work.hasLooked else { throw .conflict }
        let receipts = ReceiptBatch(work.effects.receipts)
        if isPlain, writer.isEmpty, work.processed.isEmpty, receipts.isEmpty {
            gate.putBack(loaded)
            return Outcome()
        }
        let place: [UInt8]
        if isLocked {
            place = try writeWithMore(writer, loaded, work, receipts, session)
        } else if isPlain, receipts.isEmpty {
            place = try write(writer, loaded, work, isAlone: true, session)
        } else {
            place = try session.transaction(orThrow: Failure.init(database:)) {
                (session) throws(Failure) in
                guard isPlain else { return try writeWithMore(writer, loaded, work, receipts, session) }
                let place = try write(writer, loaded, work, isAlone: false, needsFirst: true, session)
                try write(receipts, work, session)
                return place
            }
        }
        loaded.version += 1
        loaded.place = place
        loaded.record = writer.record
        if !isLocked {
            // Within a transaction that is not over it is not known yet whether this becomes true.
            gate.putBack(loaded)
        }
        return outcome(work)
    }

    /// Does the operations, in memory.
    ///
    /// - Returns: What has to be written down.
    private func apply(
        to loaded: inout LoadedSubscription,
        _ work: SubscriptionWork
    ) throws(Failure) -> SubscriptionWriter {
        var writer = SubscriptionWriter(loaded.record)
        if work.first > 0 {
            _ = loaded.state.lap(before: work.first, floor: &work.floor)
        }
        loaded.state.expire(at: work.moment, floor: &work.floor, effects: &work.effects)
        work.changesPositions = !work.effects.expired.isEmpty
        writer.add(loaded.state.takeChanges())
        for operation in operations {
            operation.apply(&loaded.state, work)
            if let failure = work.failure { throw Failure(failure) }
            writer.add(loaded.state.takeChanges())
        }
        return writer
    }

    private func outcome(_ work: SubscriptionWork) -> Outcome {
        var outcome = Outcome(expired: work.effects.expired)
        if work.effects.hasNews {
            outcome.changed.insert(entry.stream.name)
        }
        if !work.effects.givenUp.isEmpty {
            outcome.changed.insert(entry.deadLetterStream.name)
        }
        return outcome
    }

    func translating<Result>(
        _ body: () throws(EventStreamingError) -> Result
    ) throws(Failure) -> Result {
        do throws(EventStreamingError) {
            return try body()
        } catch {
            throw error.isChange ? .conflict : Failure(error)
        }
    }
}

extension SubscriptionTransaction {
    /// A settlement within a transaction of somebody else; a refusal of it is thrown.
    init(
        settling settlement: Settlement,
        _ gate: SubscriptionGate,
        _ streams: StreamDirectory,
        _ clock: any EventStreamingClock,
        _ usesServerTime: Bool
    ) {
        let operation = SubscriptionOperation(
            apply: { state, work in
                do throws(EventStreamingError) {
                    try state.settle(settlement, at: work.moment, floor: &work.floor, effects: &work.effects)
                    work.mark(settlement.processed)
                } catch {
                    work.failure = error
                }
            }
        )
        self.init(
            gate: gate,
            operations: [operation],
            streams: streams,
            clock: clock,
            usesServerTime: usesServerTime
        )
    }
}

extension EventStreamingError {
    /// Never leaves the transaction.
    static let changedMeanwhile = EventStreamingError(
        .storeUnavailable,
        "The subscription was changed meanwhile.",
        underlying: ChangedMeanwhile()
    )

    fileprivate var isChange: Bool { underlying is ChangedMeanwhile }
}

private struct ChangedMeanwhile: Error {}
#endif
