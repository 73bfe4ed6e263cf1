#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Does a group of operations to one subscription, and writes down what changed, all or nothing.
///
/// The state in memory is used when it is still the one in the database; it is changed there first, then its rows are
/// written on condition that nobody else has changed them meanwhile. So most operations take two round trips: one to
/// look, one to write. When somebody was faster, the rows are read and everything is done again; when that happens again
/// and again, under a lock.
struct SubscriptionTransaction {
    /// What others must be told.
    struct Outcome: Sendable {
        var changed: Set<StreamName> = []
        var expired: [ConsumerRegistration] = []
    }

    private static let look = Statement(
        """
        SELECT s.first_offset, s.head, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        FROM subscriptions b JOIN streams s ON s.id = b.stream_id
        WHERE b.ctid = $1::tid AND b.id = $2::bigint AND b.version = $3::bigint
        """
    )
    private static let lock = Statement("SELECT FROM subscriptions WHERE id = $1::bigint FOR NO KEY UPDATE")
    private static let settle = Statement("SELECT settle_stream($1::bigint)")
    private static let optimisticAttempts = 3
    private static let attempts = 6

    private enum Failure: Error {
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

    private var entry: SubscriptionEntry { gate.entry }

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
        let isPlain =
            work.effects.givenUp.isEmpty && work.closedLetters.isEmpty && !work.changesPositions
            && (entry.stream.type == .persistent || writer.isEmpty)
        if isPlain, writer.isEmpty {
            gate.putBack(loaded)
            return Outcome()
        }
        let place: [UInt8]
        if isPlain, !isLocked {
            place = try write(writer, loaded, isRelaxed: !work.isDurable, session)
        } else if isLocked {
            place = try writeWithMore(writer, loaded, work, session)
        } else {
            place = try session.transaction(orThrow: Failure.init(database:)) {
                (session) throws(Failure) in
                try writeWithMore(writer, loaded, work, session)
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

    // MARK: - Looking

    private func begin(
        _ session: Session,
        isLocked: Bool
    ) throws(Failure) -> (LoadedSubscription, SubscriptionWork) {
        try translating { () throws(EventStreamingError) in
            if !isLocked, let cached = gate.takeCached(), session.openedAt <= cached.seenAt,
                let begun = try look(cached, session)
            {
                return begun
            }
            let loaded: LoadedSubscription
            if isLocked {
                loaded = try LoadedSubscription.load(entry, session)
            } else {
                loaded = try session.snapshot { (session) throws(EventStreamingError) in
                    try LoadedSubscription.load(entry, session)
                }
            }
            guard let begun = try look(loaded, session) else { throw .changedMeanwhile }
            return begun
        }
    }

    /// The state, when it is the newest, and the stream as it is now.
    private func look(
        _ subscription: LoadedSubscription,
        _ session: Session
    ) throws(EventStreamingError) -> (LoadedSubscription, SubscriptionWork)? {
        let seenAt = ContinuousClock.now
        var subscription = subscription
        let look = Command(Self.look) { [place = subscription.place, version = subscription.version] parameters in
            parameters.add(place)
            parameters.add(entry.id)
            parameters.add(version)
        }
        let pages = pagesToRead(subscription.state).map { StreamLog.reading($0, of: entry.stream.id) }
        let results = try session.rows([look] + pages)
        let rows = results[0]
        guard rows.count > 0 else { return nil }
        var readAhead: [[StoredEvent]] = []
        for page in results.dropFirst() where page.count > 0 {
            readAhead.append(try EventReader.events(page))
        }
        subscription.seenAt = seenAt
        let callerUptime = clock.uptime
        let uptime = usesServerTime ? Duration.microseconds(rows.int64(0, 2)) : callerUptime
        subscription.uptime = max(subscription.uptime, uptime)
        let work = SubscriptionWork(
            entry,
            session,
            moment: Moment(now: clock.now, uptime: subscription.uptime),
            callerUptime: callerUptime,
            first: rows.int64(0, 0),
            head: rows.int64(0, 1),
            readAhead: readAhead
        )
        return (subscription, work)
    }

    /// The offsets of the events that are probably handed out, if they are there.
    private func pagesToRead(_ state: SubscriptionState) -> [Range<Int64>] {
        var offsets = OffsetRanges()
        for case let lease? in operations.map(\.lease) {
            guard let range = state.nextOffsets(for: lease.consumer, limit: lease.limit) else { continue }
            // Who competes goes on where the one before ends.
            let begin = state.isShared && !offsets.isEmpty ? offsets.span.upperBound : range.lowerBound
            let end = begin.addingReportingOverflow(Int64(range.count))
            guard !end.overflow else { continue }
            offsets.formUnion(OffsetRanges(begin..<end.partialValue))
        }
        return offsets.ranges
    }

    // MARK: - Writing

    private func write(
        _ writer: SubscriptionWriter,
        _ loaded: LoadedSubscription,
        isRelaxed: Bool,
        _ session: Session
    ) throws(Failure) -> [UInt8] {
        let place = try translating { () throws(EventStreamingError) in
            try writer.write(to: entry, loaded, isRelaxed: isRelaxed, session)
        }
        guard let place else { throw .conflict }
        return place
    }

    private func writeWithMore(
        _ writer: SubscriptionWriter,
        _ loaded: LoadedSubscription,
        _ work: SubscriptionWork,
        _ session: Session
    ) throws(Failure) -> [UInt8] {
        let givenUp = work.effects.givenUp
        // Streams before subscriptions, and in order: the same for everybody, so that nobody waits in a circle.
        var rows = try translating { () throws(EventStreamingError) in
            try StreamRow.lock(givenUp.isEmpty ? [entry.stream] : [entry.stream, entry.deadLetterStream], session)
        }
        let place = try write(writer, loaded, isRelaxed: false, session)
        try translating { () throws(EventStreamingError) in
            if !work.closedLetters.isEmpty {
                try DeadLetterRows.close(work.closedLetters, of: entry, session)
            }
            if !givenUp.isEmpty, var row = rows.removeValue(forKey: entry.deadLetterStream.id) {
                try bury(givenUp, in: &row, loaded.state.definition, work, session)
            }
            try session.rows(Self.settle) { $0.add(entry.stream.id) }
        }
        return place
    }

    private static let enter = Statement(
        """
        INSERT INTO dead_letters (subscription_id, number, consumer)
        SELECT $1::bigint, * FROM unnest($2::bigint[], $3::text[])
        """
    )

    /// Puts events into the dead-letter stream. They are taken even when it is full.
    private func bury(
        _ givenUp: [GivenUp],
        in row: inout StreamRow,
        _ definition: SubscriptionDefinition,
        _ work: SubscriptionWork,
        _ session: Session
    ) throws(EventStreamingError) {
        var wanted = OffsetRanges()
        for event in givenUp where event.redriven == nil {
            wanted.formUnion(OffsetRanges(event.offset..<event.offset + 1))
        }
        var events: [Int64: StoredEvent] = [:]
        for range in wanted.ranges {
            for event in try work.log.events(at: OffsetRanges(range)) {
                events[event.offset.rawValue] = event
            }
        }
        let letters = givenUp.compactMap { event in
            (event.redriven ?? events[event.offset]).map { event.deadLetter($0, of: definition) }
        }
        let records = letters.records(at: work.moment.now)
        let base = row.head
        try row.append(records, at: work.moment.now, session)
        let insertions = records.enumerated().map { index, record in
            EventInsertion(
                stream: row.entry.id,
                offset: base + Int64(index),
                timestamp: row.lastTimestamp,
                event: record
            )
        }
        try EventInsertion.insert(insertions, session)
        try session.rows(Self.enter) { parameters in
            parameters.add(entry.id)
            parameters.add(insertions.map(\.offset))
            parameters.addArray(ofNullable: .text, letters) { writer, letter in
                guard let consumer = letter.consumer else { return false }
                writer.write(consumer.rawValue)
                return true
            }
        }
        try row.dropSurplus(streams, session)
        try row.save(session)
    }

    private func translating<Result>(
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
    fileprivate static let changedMeanwhile = EventStreamingError(
        .storeUnavailable,
        "The subscription was changed meanwhile.",
        underlying: ChangedMeanwhile()
    )

    fileprivate var isChange: Bool { underlying is ChangedMeanwhile }
}

private struct ChangedMeanwhile: Error {}
#endif
