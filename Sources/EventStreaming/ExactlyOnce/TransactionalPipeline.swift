import EventStreamingCore
import Logging
import Synchronization

/// Handles events in transactions: what the handler writes, the marks and the settlement of a batch are committed together.
///
/// The mark decides: the handler is called only for an event whose mark is new in this transaction. So at most one effect
/// of an event is ever committed, whatever became of earlier transactions that nobody knows the outcome of.
struct TransactionalPipeline: Sendable {
    /// How many events share a transaction at most.
    static let batchSize = 100

    let handler: TransactionalHandler
    let consumer: Consumer

    private var engine: Engine { consumer.engine }

    /// Works until there are no more events to come.
    func run() async throws(EventStreamingError) {
        let store = try engine.store.transactional
        while let handout = try await consumer.next(Self.batchSize, completing: nil) {
            consumer.state.withLock { $0.queue(handout.key) }
            var parts = [handout.indices]
            while let part = parts.popLast() {
                parts += try await process(part, of: handout.source, in: store)
            }
        }
    }

    /// Handles some events in one transaction.
    ///
    /// - Returns: What is to be tried again in parts, the last one first, so that only what fails is rejected.
    private func process(
        _ indices: Range<Int>,
        of source: LeasedEvents,
        in store: any TransactionalStore
    ) async throws(EventStreamingError) -> [Range<Int>] {
        if Task.isCancelled { return [] }
        guard let batch = consumer.beginSettling(indices, of: source) else { return [] }
        let failure = FailedEvent()
        do {
            try await attempt(batch, in: store, failure)
        } catch {
            try await consumer.endSettling(batch, isSettled: false)
            if let place = failure.place, batch.indices.indices.contains(place) {
                return try await handle(error, at: batch.indices[place], in: indices, of: source)
            }
            return try refuse(error, batch, indices)
        }
        try await consumer.endSettling(batch, isSettled: true)
        return []
    }

    private func attempt(
        _ batch: SettlingBatch,
        in store: any TransactionalStore,
        _ failure: FailedEvent
    ) async throws {
        let (settlement, ids, handler) = (batch.settlement, batch.ids, handler)
        let processor = consumer.plan.definition.processor(of: consumer.id)
        try await store.withTransaction { transaction in
            failure.place = nil
            // First the settlement: nobody writes for a lease that has ended.
            try transaction.settle(settlement)
            var new = try transaction.markProcessed(ids, by: processor)
            for (place, index) in batch.indices.enumerated() where new.remove(ids[place]) != nil {
                do {
                    try handler(TransactionalDelivery(batch.source, at: index), transaction)
                } catch {
                    failure.place = place
                    throw error
                }
            }
        }
    }

    // MARK: - Failures

    /// The handler threw: the event alone decides whether it is rejected; those around it are tried without it.
    private func handle(
        _ error: any Error,
        at index: Int,
        in indices: Range<Int>,
        of source: LeasedEvents
    ) async throws(EventStreamingError) -> [Range<Int>] {
        if Task.isCancelled { return [] }
        guard indices.count == 1 else {
            return [index + 1..<indices.upperBound, index..<index + 1, indices.lowerBound..<index].filter {
                !$0.isEmpty
            }
        }
        let event = source.lease.events[index]
        consumer.logger.debug(
            "Handling an event failed; its transaction was rolled back.",
            metadata: [LogKey.eventID: "\(event.id)", LogKey.error: "\(error)"]
        )
        let key = DeliveryKey(lease: source.lease.epoch, indices: indices)
        do throws(EventStreamingError) {
            try await consumer.settle(key, of: event, as: .requeue, reason: "\(error)")
        } catch  where error.code == .leaseExpired || error.code == .alreadySettled {
            consumer.noteLateSettlement(error)
        }
        return []
    }

    /// The store refused, or could not be reached.
    private func refuse(
        _ error: any Error,
        _ batch: SettlingBatch,
        _ indices: Range<Int>
    ) throws(EventStreamingError) -> [Range<Int>] {
        guard let error = error as? EventStreamingError else {
            throw EventStreamingError(
                .storeUnavailable,
                "A transaction failed with an error that no handler threw; its events are delivered again.",
                underlying: error
            )
        }
        switch error.code {
        case .alreadySettled, .invalidArgument:
            // One of them was settled by somebody else; each finds out for itself.
            guard batch.indices.count > 1 else { return [] }
            return indices.reversed().map { $0..<$0 + 1 }
        case .leaseExpired, .unknownConsumer:
            consumer.noteEnd(of: batch.settlement, error)
            consumer.state.withLock { $0.forget(batch.lease) }
            consumer.noteLateSettlement(error)
            return []
        default:
            consumer.noteEnd(of: batch.settlement, error)
            throw error
        }
    }
}

/// Where in a batch the handler threw, as told from the thread of the store.
private final class FailedEvent: Sendable {
    private let state = Mutex<Int?>(nil)

    var place: Int? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
