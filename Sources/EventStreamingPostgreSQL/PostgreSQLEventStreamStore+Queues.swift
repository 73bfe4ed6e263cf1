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
            let result = try await change(gate, isDurable: settlement != nil, leasing: (consumer, limit)) {
                [settlement] (state, work) throws(EventStreamingError) in
                try Self.dequeue(as: consumer, limit: limit, settling: settlement, &state, work)
            }
            settlement = nil
            // A long stretch that the filter passes over is looked at in turns, so that others get theirs in between.
            if let result { return result }
        }
    }

    private static func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?,
        _ state: inout SubscriptionState,
        _ work: SubscriptionWork
    ) throws(EventStreamingError) -> DequeueResult? {
        let dequeued: Dequeued
        do throws(EventStreamingError) {
            dequeued = try state.dequeue(
                as: consumer,
                limit: limit,
                settling: settlement,
                at: work.moment,
                log: work.log,
                floor: &work.floor,
                effects: &work.effects
            )
            guard case .portion(let portion) = dequeued else {
                guard case .empty(let until) = dequeued else { return nil }
                return .empty(until: until.map { work.callerUptime + ($0 - work.moment.uptime) })
            }
            let events: [StoredEvent]
            if let redriven = portion.redriven {
                events = [redriven]
            } else {
                events = try work.log.events(at: portion.offsets)
                // All of it was trimmed since the look at the stream: look again.
                guard !events.isEmpty else { throw .trimmedMeanwhile }
            }
            work.isDurable = work.isDurable || portion.expiry == nil
            return .lease(Lease(portion, events: events, holder: consumer))
        } catch {
            // A refusal came before any change; anything else came in the middle of one.
            if error.code != .consumerReplaced, error.code != .unknownConsumer {
                work.failure = error
            }
            throw error
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
        try await change(gate) { (state, work) throws(EventStreamingError) in
            try state.settle(settlement, at: work.moment, floor: &work.floor, effects: &work.effects)
        }
    }
}

extension EventStreamingError {
    /// Has the operation done again; told only when it happens again and again.
    fileprivate static let trimmedMeanwhile = DatabaseError(
        message: "the events are trimmed faster than they are read",
        sqlState: "40001",
        isFatal: false
    ).eventStreamingError
}
#endif
