#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore: EventStreamStore {
    /// Leases the next events to a consumer.
    ///
    /// A lease is written down at once, but need not be on the server's disk: when the server loses power within its
    /// next moments, it may forget the lease, which then does not count as an attempt. At most once, it must.
    public func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?
    ) async throws(EventStreamingError) -> DequeueResult {
        try Validation.check(limit, settlement, of: consumer)
        let gate = try await gate(of: consumer)
        var settlement = settlement
        while true {
            let handout = try await change(
                gate,
                isDurable: settlement != nil,
                need: .events(consumer, limit: limit)
            ) { [settlement] (state, work) throws(EventStreamingError) in
                try Self.dequeue(as: consumer, limit: limit, settling: settlement, &state, work)
            }
            settlement = nil
            switch handout {
            // A long stretch that the filter passes over is looked at in turns, so that others get theirs in between.
            case .unfinished: continue
            case .empty(let until): return .empty(until: until)
            case .redriven(let portion, let event):
                return .lease(Lease(portion, events: [event], holder: consumer))
            case .portion(let portion, let events):
                do throws(EventStreamingError) {
                    return .lease(Lease(portion, events: try events.take(), holder: consumer))
                } catch {
                    await giveBack(Lease(portion, events: [], holder: consumer))
                    throw error
                }
            }
        }
    }

    /// What a consumer gets.
    private enum Handout: Sendable {
        case portion(Portion, PendingEvents)
        case redriven(Portion, StoredEvent)
        case unfinished
        case empty(until: Duration?)
    }

    private static func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?,
        _ state: inout SubscriptionState,
        _ work: SubscriptionWork
    ) throws(EventStreamingError) -> Handout {
        let dequeued: Dequeued
        do throws(EventStreamingError) {
            dequeued = try state.dequeue(
                as: consumer,
                limit: limit,
                settling: settlement,
                at: work.moment,
                log: work.log,
                parkedKeys: work.parkedKeys,
                floor: &work.floor,
                effects: &work.effects
            )
        } catch {
            // A refusal came before any change; anything else came in the middle of one.
            if !error.isRefusalOfLease {
                work.failure = error
            }
            throw error
        }
        work.mark(settlement?.processed)
        switch dequeued {
        case .unfinished: return .unfinished
        case .empty(let until):
            return .empty(until: until.map { work.callerUptime + ($0 - work.moment.uptime) })
        case .portion(let portion):
            work.isDurable = work.isDurable || portion.expiry == nil
            if let redriven = portion.redriven { return .redriven(portion, redriven) }
            return .portion(portion, work.events(at: portion.offsets))
        }
    }

    /// Records what became of a lease's events; on the server's disk when this returns.
    ///
    /// Offsets of the lease that were never delivered, because the filter passes over them or they were trimmed, may be
    /// named or not.
    public func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        let gate: SubscriptionGate
        do throws(EventStreamingError) {
            gate = try await self.gate(of: settlement.holder.subscription)
        } catch {
            throw error.code == .unknownSubscription ? .leaseEnded(settlement) : error
        }
        try await change(gate, need: .nothing) { (state, work) throws(EventStreamingError) in
            try state.settle(settlement, at: work.moment, floor: &work.floor, effects: &work.effects)
            work.mark(settlement.processed)
        }
    }
}

extension EventStreamingError {
    /// Whether a store was asked for something that it may refuse, and has not begun to change anything.
    fileprivate var isRefusalOfLease: Bool {
        switch code {
        case .consumerReplaced, .unknownConsumer, .leaseExpired, .alreadySettled, .invalidArgument: true
        default: false
        }
    }
}
#endif
