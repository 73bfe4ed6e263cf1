#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

extension SubscriptionTransaction {
    private static let look = Statement(
        """
        SELECT s.first_offset, s.head, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        FROM subscriptions b JOIN streams s ON s.id = b.stream_id
        WHERE b.ctid = $1::tid AND b.id = $2::bigint AND b.version = $3::bigint
        """
    )
    /// For how long it is remembered what the stream was like.
    private static let memory = Duration.seconds(1)

    /// The state of the subscription, and the stream as far as the operations have to know it.
    func begin(
        _ session: Session,
        isLocked: Bool
    ) throws(Failure) -> (LoadedSubscription, SubscriptionWork) {
        try translating { () throws(EventStreamingError) in
            if !isLocked, let cached = gate.takeCached(), session.openedAt <= cached.seenAt {
                if let begun = foresee(cached, session) { return begun }
                if let begun = try look(cached, session) { return begun }
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
        let rows = try session.rows(Self.look) { parameters in
            parameters.add(subscription.place)
            parameters.add(entry.id)
            parameters.add(subscription.version)
        }
        guard rows.count > 0 else { return nil }
        var subscription = subscription
        subscription.seenAt = seenAt
        let callerUptime = clock.uptime
        let uptime = usesServerTime ? Duration.microseconds(rows.int64(0, 2)) : callerUptime
        subscription.uptime = max(subscription.uptime, uptime)
        let view = StreamView(first: rows.int64(0, 0), head: rows.int64(0, 1), uptime: subscription.uptime, at: .now)
        subscription.stream = view
        let work = SubscriptionWork(
            entry,
            session,
            moment: Moment(now: clock.now, uptime: subscription.uptime),
            receiptTime: receiptTime(at: subscription.uptime),
            callerUptime: callerUptime,
            view: view,
            hasLooked: true
        )
        return (subscription, work)
    }

    private func receiptTime(at uptime: Duration) -> Timestamp {
        usesServerTime ? Timestamp(nanosecondsSinceEpoch: uptime.clampedNanoseconds) : clock.now
    }

    // MARK: - Without looking

    /// The state and the stream as they were a moment ago, where that is enough: the stream had as many events as the
    /// operations can take, or there are some that were appended here. Whether it was right shows when the changes are
    /// written down, on condition that neither the subscription nor the beginning of the stream has changed.
    private func foresee(
        _ subscription: LoadedSubscription,
        _ session: Session
    ) -> (LoadedSubscription, SubscriptionWork)? {
        guard entry.stream.type == .persistent, let stream = subscription.stream else { return nil }
        let now = ContinuousClock.now
        let age = stream.at.duration(to: now)
        guard age < Self.memory else { return nil }
        let appended = streams.head(of: entry.stream, notedSince: max(session.openedAt, now - Self.memory))
        let view = StreamView(
            first: stream.first,
            head: max(stream.head, appended ?? stream.head),
            uptime: stream.uptime,
            at: stream.at
        )
        guard hasEnough(view, takesFewer: appended != nil, for: subscription.state) else { return nil }
        var subscription = subscription
        subscription.seenAt = now
        let callerUptime = clock.uptime
        // Not ahead of the server's clock: it was asked for the time before we had the answer.
        subscription.uptime = max(subscription.uptime, usesServerTime ? stream.uptime + age : callerUptime)
        let work = SubscriptionWork(
            entry,
            session,
            moment: Moment(now: clock.now, uptime: subscription.uptime),
            receiptTime: receiptTime(at: subscription.uptime),
            callerUptime: callerUptime,
            view: view,
            hasLooked: false
        )
        return (subscription, work)
    }

    /// Whether there are events for everybody.
    ///
    /// - Parameter takesFewer: Whether one will do where more are wanted. Others may have appended more meanwhile, but who
    ///   gets an event asks again before he waits for news, and that nothing is left is never said without looking.
    private func hasEnough(_ stream: StreamView, takesFewer: Bool, for state: SubscriptionState) -> Bool {
        var end: Int64?
        for operation in operations {
            switch operation.need {
            case .look: return false
            case .nothing: continue
            case .events(let consumer, let limit):
                guard let range = state.nextOffsets(for: consumer, limit: limit) else { return false }
                // Who competes goes on where the one before ends.
                let begin = state.isShared ? end ?? range.lowerBound : range.lowerBound
                let wanted = begin.addingReportingOverflow(Int64(range.count))
                guard !wanted.overflow else { return false }
                let next = takesFewer ? min(wanted.partialValue, stream.head) : wanted.partialValue
                guard begin >= stream.first, begin < next, next <= stream.head else { return false }
                end = next
            }
        }
        return true
    }
}

/// A stream as it was when somebody looked.
struct StreamView: Sendable {
    let first: Int64
    let head: Int64
    /// What the clock said that decides.
    let uptime: Duration
    /// Not before that.
    let at: ContinuousClock.Instant
}
#endif
