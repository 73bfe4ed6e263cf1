import EventStreamingCore

/// An event that goes to the dead-letter stream.
struct GivenUp: Sendable {
    let event: StoredEvent
    let history: Delivery.History
}

/// Why a lease ends before it is settled.
enum LeaseEnd: Sendable {
    /// The holder gave it back: the delivery does not count.
    case released
    /// The holder was lost, as the text says: the delivery counts, so that an event that kills its consumer is given up
    /// in the end.
    case lost(String)
}

extension Cursor {
    // MARK: - Settling

    /// Applies a settlement, or throws and changes nothing.
    ///
    /// - Returns: Whether anything can be delivered again at once.
    mutating func settle(
        _ settlement: Settlement,
        at moment: Moment,
        log: EventLog,
        desk: inout Desk,
        givenUp: inout [GivenUp]
    ) throws(EventStreamingError) -> Bool {
        let key = settlement.leaseEpoch
        guard let index = deliveries.index(forKey: key),
            case .leased(settlement.holder.epoch, _) = deliveries.values[index].phase
        else { throw .leaseEnded(settlement) }
        if settlement.finishesAll(of: deliveries.values[index]) {
            remove(key)
            settlePosition()
            return false
        }
        let delivery = deliveries.values[index]
        let plan = try SettlementPlan(settlement, of: delivery)
        if plan.rest.isEmpty || settlement.releasesRest {
            remove(key)
        } else {
            modify(key) { $0.remaining = plan.rest }
        }
        var isDueNow = false
        for rejection in plan.rejections {
            let wait = reject(rejection, of: delivery, at: moment, log: log, desk: &desk, givenUp: &givenUp)
            isDueNow = isDueNow || wait == .zero
        }
        if settlement.releasesRest, !plan.rest.isEmpty {
            var history = delivery.history
            history.attempts -= 1
            giveBack(plan.rest, of: delivery, history: history, due: moment.uptime, desk: &desk)
            isDueNow = true
        }
        settlePosition()
        return isDueNow
    }

    /// - Returns: How long the offsets wait; `nil` when they are given up.
    private mutating func reject(
        _ rejection: SettlementPlan.Rejected,
        of delivery: Delivery,
        at moment: Moment,
        log: EventLog,
        desk: inout Desk,
        givenUp: inout [GivenUp]
    ) -> Duration? {
        var history = delivery.history
        history.fail(at: moment.now, reason: rejection.reason)
        guard case .retry(let delay) = rejection.action, history.attempts < desk.retry.maximumAttempts else {
            giveUp(rejection.offsets, of: delivery, history: history, log: log, givenUp: &givenUp)
            return nil
        }
        let wait = delay ?? desk.delay(afterAttempt: history.attempts)
        giveBack(rejection.offsets, of: delivery, history: history, due: moment.uptime + wait, desk: &desk)
        return wait
    }

    // MARK: - Ending

    /// Ends a lease that is not settled; what remains in it is due at once, or given up after the last attempt.
    ///
    /// - Returns: Whether there was such a lease.
    mutating func end(
        _ key: UInt64,
        as end: LeaseEnd,
        at moment: Moment,
        log: EventLog,
        desk: inout Desk,
        givenUp: inout [GivenUp]
    ) -> Bool {
        guard deliveries[key]?.expiry != nil, let delivery = remove(key) else { return false }
        var history = delivery.history
        switch end {
        case .released:
            history.attempts -= 1
        case .lost(let reason):
            history.fail(at: moment.now, reason: "\(reason) in attempt \(history.attempts)")
            if history.attempts >= desk.retry.maximumAttempts {
                giveUp(delivery.remaining, of: delivery, history: history, log: log, givenUp: &givenUp)
                settlePosition()
                return true
            }
        }
        giveBack(delivery.remaining, of: delivery, history: history, due: moment.uptime, desk: &desk)
        settlePosition()
        return true
    }

    private mutating func giveBack(
        _ offsets: OffsetRanges,
        of delivery: Delivery,
        history: Delivery.History,
        due: Duration,
        desk: inout Desk
    ) {
        var delivery = delivery
        delivery.remaining = offsets
        for run in delivery.remainingRuns {
            let part = Delivery(
                phase: .waiting(due: due),
                span: run.span,
                scheduled: run,
                remaining: run,
                history: history,
                redriven: delivery.redriven
            )
            add(part, key: desk.nextKey())
        }
    }

    private func giveUp(
        _ offsets: OffsetRanges,
        of delivery: Delivery,
        history: Delivery.History,
        log: EventLog,
        givenUp: inout [GivenUp]
    ) {
        for range in offsets.ranges {
            for offset in range {
                if let event = delivery.redriven ?? log.event(at: offset) {
                    givenUp.append(GivenUp(event: event, history: history))
                }
            }
        }
    }
}
