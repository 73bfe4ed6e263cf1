import EventStreamingCore

/// What a settlement did.
struct Settled: Sendable {
    /// Whether anything was given back. Even when it is due later: who waits does not know until when, yet.
    var isGivenBack = false
    /// The offsets that were delivered and are finished; empty where no receipts are kept.
    var delivered = OffsetRanges()
}

extension Cursor {
    /// When events that nothing delays fall due. One moment for all of them, so that they come in order of their offsets
    /// whenever they were given back.
    private static let dueAtOnce = Duration.zero

    // MARK: - Settling

    /// Applies a settlement, or throws and changes nothing.
    mutating func settle(
        _ settlement: Settlement,
        at moment: Moment,
        desk: inout Desk,
        givenUp: inout [GivenUp]
    ) throws(EventStreamingError) -> Settled {
        let key = settlement.leaseEpoch
        guard let index = deliveries.index(forKey: key),
            case .leased(settlement.holder.epoch, _) = deliveries.values[index].phase
        else { throw .leaseEnded(settlement) }
        var settled = Settled()
        if settlement.finishesAll(of: deliveries.values[index]) {
            if desk.keepsReceipts {
                settled.delivered = deliveries.values[index].remaining
            }
            remove(key)
            settlePosition()
            return settled
        }
        let delivery = deliveries.values[index]
        var plan = try SettlementPlan(settlement, of: delivery)
        if desk.keepsReceipts {
            settled.delivered = plan.completed(of: delivery)
        }
        let behind = plan.takeBehindRejections(of: delivery)
        if plan.rest.isEmpty || settlement.releasesRest {
            remove(key)
        } else {
            modify(key) { $0.remaining = plan.rest }
        }
        for rejection in plan.rejections {
            let comesAgain = reject(rejection, of: delivery, at: moment, desk: &desk, givenUp: &givenUp)
            settled.isGivenBack = settled.isGivenBack || comesAgain
        }
        let released = settlement.releasesRest ? [behind, plan.rest] : [behind]
        for offsets in released where !offsets.isEmpty {
            var uncounted = delivery
            uncounted.attempts -= 1
            giveBack(offsets, of: uncounted, desk: &desk)
            settled.isGivenBack = true
        }
        settlePosition()
        return settled
    }

    /// - Returns: Whether the offsets are delivered again; otherwise they are given up.
    private mutating func reject(
        _ rejection: SettlementPlan.Rejected,
        of delivery: Delivery,
        at moment: Moment,
        desk: inout Desk,
        givenUp: inout [GivenUp]
    ) -> Bool {
        let failure = Delivery.Failure(at: moment.now, reason: rejection.reason, after: delivery.failure)
        guard case .retry(let delay) = rejection.action, delivery.attempts < desk.retry.maximumAttempts else {
            giveUp(rejection.offsets, of: delivery, failure: failure, givenUp: &givenUp)
            return false
        }
        var failed = delivery
        failed.failure = failure
        let wait = delay ?? desk.delay(afterAttempt: delivery.attempts)
        let due = wait == .zero ? Self.dueAtOnce : moment.uptime + wait
        giveBack(rejection.offsets, of: failed, due: due, desk: &desk)
        return true
    }

    // MARK: - Ending

    /// Ends a lease whose holder was lost, for the reason given; what remains in it is due at once, or given up after the
    /// last attempt. The delivery counts, so that an event that kills its consumer is given up in the end.
    ///
    /// - Returns: Whether there was such a lease.
    mutating func end(
        _ key: UInt64,
        because reason: String,
        at moment: Moment,
        desk: inout Desk,
        givenUp: inout [GivenUp]
    ) -> Bool {
        guard deliveries[key]?.expiry != nil, var delivery = remove(key) else { return false }
        let reason = "\(reason) in attempt \(delivery.attempts)"
        let failure = Delivery.Failure(at: moment.now, reason: reason, after: delivery.failure)
        if delivery.attempts < desk.retry.maximumAttempts {
            delivery.failure = failure
            giveBack(delivery.remaining, of: delivery, desk: &desk)
        } else {
            giveUp(delivery.remaining, of: delivery, failure: failure, givenUp: &givenUp)
        }
        settlePosition()
        return true
    }

    private mutating func giveBack(
        _ offsets: OffsetRanges,
        of delivery: Delivery,
        due: Duration = dueAtOnce,
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
                attempts: delivery.attempts,
                failure: delivery.failure,
                redriven: delivery.redriven,
                keys: delivery.keys
            )
            add(part, key: desk.nextKey())
        }
    }

    private func giveUp(
        _ offsets: OffsetRanges,
        of delivery: Delivery,
        failure: Delivery.Failure,
        givenUp: inout [GivenUp]
    ) {
        var keys: [Int64: PartitionKey] = [:]
        delivery.keys?.forEach(in: offsets) { keys[$0] = $1 }
        for range in offsets.ranges {
            for offset in range {
                givenUp.append(
                    GivenUp(
                        offset: offset,
                        redriven: delivery.redriven?.event,
                        attempts: delivery.attempts,
                        failure: failure,
                        key: keys[offset]
                    )
                )
            }
        }
    }
}
