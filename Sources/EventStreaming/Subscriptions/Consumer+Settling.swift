import EventStreamingCore
import Logging
import Synchronization
import Tracing

extension Consumer {
    /// Settles one delivery by itself, and waits for the store to have recorded it.
    func settle(_ key: DeliveryKey, of event: StoredEvent, as action: Rejection.Action?, reason: String)
        async throws(EventStreamingError)
    {
        if action == nil, plan.needsTransaction { throw Self.needsTransaction }
        try await settleAlone(key, of: event, as: action, reason: reason)
    }

    func settleAlone(_ key: DeliveryKey, of event: StoredEvent, as action: Rejection.Action?, reason: String)
        async throws(EventStreamingError)
    {
        if engine.lifecycle.phase == .stopped { throw Lifecycle.shutDown }
        let registration = try state.withLock { state throws(EventStreamingError) in
            let registration = try state.beginSettling(key)
            state.beginReport()
            state.beginTelling(key.lease)
            return registration
        }
        defer { endSettling() }
        let offsets = event.offset..<event.offset.advanced(by: 1)
        var settlement = Settlement(of: registration, leaseEpoch: key.lease)
        if let action {
            settlement.rejections = [Rejection(offsets: offsets, action: action, reason: reason)]
            engine.telemetry.countRejection(of: plan.definition.id)
        } else {
            settlement.completed = [offsets]
            settlement.processed = state.withLock { $0.processed([offsets], of: [event]) }
        }
        do throws(EventStreamingError) {
            try await record(settlement)
        } catch {
            // What the store refuses for good leaves the delivery open; what it could not be told, it is told again.
            state.withLock { state in
                let rest = state.endSettling(key, isSettled: isKept(error), isRejected: action != nil) {
                    engine.clock.uptime
                }
                state.keep([rest].compactMap { $0 })
            }
            throw error
        }
        let rest = state.withLock { state in
            state.endSettling(key, isSettled: true, isRejected: action != nil) { engine.clock.uptime }
        }
        if let rest {
            try await report(rest)
        }
    }

    /// Finishes one delivery in the transaction in which `write` writes.
    func settle<Result: Sendable>(
        _ key: DeliveryKey,
        of event: StoredEvent,
        writing write: @escaping @Sendable (any StoreTransaction) throws -> Result
    ) async throws -> Result {
        if engine.lifecycle.phase == .stopped { throw Lifecycle.shutDown }
        let store = try engine.store.transactional
        let registration = try state.withLock { state throws(EventStreamingError) in
            let registration = try state.beginSettling(key)
            state.beginReport()
            return registration
        }
        defer { endSettling() }
        var settlement = Settlement(of: registration, leaseEpoch: key.lease)
        settlement.completed = [event.offset..<event.offset.advanced(by: 1)]
        let result: Result
        do {
            // First the settlement: nobody writes for a lease that has ended.
            result = try await store.withTransaction { [settlement, processor = plan.processor(of: id)] transaction in
                try transaction.settle(settlement)
                if let processor, try transaction.markProcessed([event.id], by: processor).isEmpty {
                    throw ProcessedBefore()
                }
                return try write(transaction)
            }
        } catch {
            let rest = state.withLock { $0.endSettling(key, isSettled: false) { engine.clock.uptime } }
            state.withLock { $0.keep([rest].compactMap { $0 }) }
            if let error = error as? EventStreamingError {
                noteEnd(of: settlement, error)
            }
            if error is ProcessedBefore {
                try await settleAlone(key, of: event, as: nil, reason: "")
                throw ProcessedBefore.error
            }
            throw error
        }
        noteSettled()
        if let rest = state.withLock({ $0.endSettling(key, isSettled: true) { engine.clock.uptime } }) {
            try await report(rest)
        }
        return result
    }

    /// Finishes what is left of a batch, and waits for the store to have recorded it.
    func acknowledge(_ key: DeliveryKey) async throws(EventStreamingError) {
        if engine.lifecycle.phase == .stopped { throw Lifecycle.shutDown }
        if plan.needsTransaction { return try checkIsFinished(key) }
        let settlements = try state.withLock { state throws(EventStreamingError) in
            let settlements = try state.completeNow(key) { engine.clock.uptime }
            state.beginReport()
            return settlements
        }
        defer { state.withLock { $0.endReport() } }
        for settlement in settlements {
            try await record(settlement)
        }
    }

    func isSettled(_ key: DeliveryKey) -> Bool {
        state.withLock { $0.isSettled(key) }
    }

    /// Tells the store what is finished. A lease that ended meanwhile is no error of the loop's: its events come again.
    func report(_ settlement: Settlement) async throws(EventStreamingError) {
        do throws(EventStreamingError) {
            try await record(settlement)
        } catch  where error.code == .leaseExpired || error.code == .unknownConsumer {
            noteLateSettlement(error)
        } catch  where engine.reconnects != nil && error.isRetriable {
            // Kept, to be told with the next question.
        }
    }

    func noteLateSettlement(_ error: EventStreamingError) {
        logger.debug("The lease had ended; its events are delivered again.", metadata: [LogKey.error: "\(error)"])
    }

    /// Tells the store all of it; what it was not told because one failed is kept, to be told again. What it knows already,
    /// because only its answer was lost, is as good.
    func report(_ settlements: [Settlement]) async throws(EventStreamingError) {
        for (index, settlement) in settlements.enumerated() {
            do throws(EventStreamingError) {
                try await report(settlement)
            } catch  where error.code == .alreadySettled {
                noteLateSettlement(error)
            } catch {
                state.withLock { $0.keep(settlements[(index + 1)...]) }
                throw error
            }
        }
    }

    func record(_ settlement: Settlement) async throws(EventStreamingError) {
        try await recording(settlement) { () async throws(EventStreamingError) in
            try await engine.store.settle(settlement)
        }
    }

    /// Tells the store what it may not know because the question with which it came has failed for good, say because the
    /// next events cannot be read. A store that does know answers that the lease has ended, which is as good.
    func recordAlone(_ settlement: Settlement, after error: EventStreamingError) async {
        guard !isKept(error), !error.isRefusalOfSettlement else { return }
        state.withLock { $0.beginTelling(settlement.leaseEpoch) }
        do throws(EventStreamingError) {
            try await record(settlement)
        } catch {
            noteLateSettlement(error)
        }
    }

    /// Calls the store, which settles; keeps the settlement when the store could not be told.
    func recording<Result>(
        _ settlement: Settlement,
        _ call: () async throws(EventStreamingError) -> Result
    ) async throws(EventStreamingError) -> Result {
        let result: Result
        do throws(EventStreamingError) {
            result = try await call()
        } catch {
            noteEnd(of: settlement, error)
            if isKept(error) {
                state.withLock { $0.keep(settlement) }
                noteProgress()
                throw error
            }
            noteAnswer(to: settlement)
            if let processed = settlement.processed {
                // Done is done, whoever was to be told: it must not be done again.
                await mark(processed)
            }
            throw error
        }
        noteAnswer(to: settlement)
        noteSettled()
        return result
    }

    /// Takes notice where the store says that a lease or the registration has ended.
    func noteEnd(of settlement: Settlement, _ error: EventStreamingError) {
        if error.code == .leaseExpired {
            state.withLock { $0.forget(settlement.leaseEpoch) }
        } else if error.code == .consumerReplaced {
            fail(error)
        }
    }

    /// Whether what the store could not be told is kept, to be told again.
    func isKept(_ error: EventStreamingError) -> Bool { error.isRetriable || error.code == .cancelled }

    /// Whether anything of what this consumer was handed is finished, or rejected, by now.
    var hasSettled: Bool { settled.load(ordering: .relaxed) }

    /// Notes that the store has recorded a settlement, for everybody who waits for that.
    func noteSettled() {
        settled.store(true, ordering: .relaxed)
        engine.activity.notify()
    }

    // MARK: - For deliveries

    var messaging: Messaging { engine.messaging }

    /// The trace context in which an event was emitted.
    func traceContext(of record: StoredEvent) -> ServiceContext {
        engine.telemetry.context(of: record)
    }
}

extension EventStreamingError {
    /// Whether the store has refused the settlement or its sender, and would do so again.
    fileprivate var isRefusalOfSettlement: Bool {
        switch code {
        case .leaseExpired, .alreadySettled, .unknownConsumer, .consumerReplaced, .invalidArgument: true
        default: false
        }
    }
}
