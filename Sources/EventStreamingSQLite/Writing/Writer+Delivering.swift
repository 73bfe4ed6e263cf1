import EventStreamingCore
import EventStreamingStoreKit

/// What a consumer gets, before its events are looked up.
enum Handout: Sendable {
    /// The events at the portion's offsets are still to be read.
    case portion(Portion, stream: Int64)
    /// Events that may be gone when the transaction ends.
    case events(Portion, [StoredEvent])
    case unfinished
    case empty(until: Duration?)
}

extension Writer {
    /// Leases the next events to a consumer.
    func dequeue(
        as registration: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?,
        at moment: Moment
    ) throws -> Handout {
        guard let subscription = subscriptions[registration.subscription] else {
            throw EventStreamingError.unknownConsumer(registration)
        }
        // Only now is known where the stream ends, and what has expired.
        try arrive(in: subscription.stream, at: moment)
        let log = StreamLog(subscription.stream, query: try statement(.typesInRange))
        defer { log.close() }
        // Before anything changes: what the database says must not look like a refusal.
        let parked = try parkedKeys(of: subscription)
        let dequeued: Dequeued
        do {
            dequeued = try change(subscription, at: moment) { state, floor, moment, effects in
                try state.dequeue(
                    as: registration,
                    limit: limit,
                    settling: settlement,
                    at: moment,
                    log: log,
                    parkedKeys: { parked },
                    floor: &floor,
                    effects: &effects
                )
            }
            if let settlement {
                try begin()
                try mark(settlement.processed, at: moment)
            }
        } catch {
            throw log.failure ?? error
        }
        switch dequeued {
        case .unfinished: return .unfinished
        case .empty(let until): return .empty(until: until)
        case .portion(let portion):
            if let redriven = portion.redriven {
                try begin()
                return .events(portion, [redriven])
            }
            try begin()
            guard portion.expiry == nil else { return .portion(portion, stream: subscription.stream.id) }
            return .events(portion, try events(at: portion.offsets, of: subscription.stream))
        }
    }

    private func events(at offsets: OffsetRanges, of stream: StreamEntry) throws -> [StoredEvent] {
        do {
            return try offsets.ranges.flatMap { try events(in: $0, of: stream) }
        } catch let error as EventStreamingError {
            throw Damage(what: error.message)
        }
    }

    /// Whether what is handed out to a consumer counts as finished.
    func delivers(atMostOnce id: SubscriptionID) -> Bool {
        subscriptions[id]?.state.definition.semantics == .atMostOnce
    }
}
