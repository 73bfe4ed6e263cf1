import EventStreamingCore
import Logging
import Synchronization

/// One consumer of one subscription: leases events, hands them out one by one or in batches, and reports what became
/// of them.
///
/// Nothing runs on its own: whoever asks for the next event does the fetching. Several tasks may share a consumer; one
/// of them fetches and the others wait for it. What was handed out is told to the store in ranges, when a lease is
/// done, and at every heartbeat.
final class Consumer: Sendable {
    let id: ConsumerID
    let plan: SubscriptionPlan
    private let kind: ConsumerKind
    private let start: StartPosition?
    let engine: Engine
    let logger: Logger
    let state: Mutex<ConsumerState>
    /// Notified when a fetch has ended, for tasks of this consumer that wait for it; in mode readReceipt also when the store
    /// has answered.
    let fetches = Signal()
    /// Whether the store has recorded a settlement of this consumer.
    let settled = Atomic(false)

    /// Whether events that were processed before are not handed out.
    let passesOverProcessed: Bool

    init(
        _ id: ConsumerID,
        kind: ConsumerKind,
        start: StartPosition?,
        plan: SubscriptionPlan,
        engine: Engine,
        passesOverProcessed: Bool = true
    ) {
        self.id = id
        self.passesOverProcessed = passesOverProcessed && plan.definition.semantics.exactlyOnceForm != nil
        self.kind = kind
        self.start = start
        self.plan = plan
        self.engine = engine
        state = Mutex(
            ConsumerState(
                prefetch: plan.prefetch,
                processor: plan.marksWhenSettling ? plan.definition.processor(of: id) : nil,
                isOrderedByKey: plan.definition.mode == .consumerGroup,
                keepsReceipts: plan.keepsReceipts
            )
        )
        var logger = engine.options.logger
        logger[metadataKey: LogKey.subscription] = .string(plan.definition.id.rawValue)
        logger[metadataKey: LogKey.consumer] = .string(id.rawValue)
        self.logger = logger
    }

    // MARK: - Taking

    /// The next events, at most `limit`, after what `finished` stands for was marked as done; `nil` when the service
    /// shuts down or the consumer was closed.
    func next(_ limit: Int, completing finished: DeliveryKey?) async throws(EventStreamingError) -> Handout? {
        var finished = finished
        try checkIsFinished(finished)
        while true {
            let isEnding = engine.lifecycle.isDraining || Task.isCancelled
            let (settlement, step) = state.withLock { state in
                let settlement = finished.flatMap { state.complete($0) { engine.clock.uptime } }
                if settlement != nil {
                    state.beginReport()
                }
                return (settlement, isEnding ? .end(nil) : state.next(limit))
            }
            finished = nil
            if let settlement {
                defer { state.withLock { $0.endReport() } }
                if Task.isCancelled || step.isFetch {
                    // Goes along with the question for more; or, as a store may refuse it now, with closing the consumer.
                    state.withLock { $0.keepForQuestion(settlement) }
                } else {
                    try await report(settlement)
                }
            }
            switch step {
            case .deliver(let handout):
                return handout
            case .fetch(let limit):
                try await fetch(limit)
            case .wait:
                let version = fetches.version
                if state.withLock({ $0.isFetching }) {
                    await fetches.wait(since: version)
                    try await endIfCancelled()
                }
            case .end(let error):
                try await end(error)
                return nil
            }
        }
    }

    private func end(_ error: EventStreamingError?) async throws(EventStreamingError) {
        if let error { throw error }
        try await endIfCancelled()
        // Other tasks that share the consumer may still be at work; the last one closes it.
        if !state.withLock({ $0.isAtWork }) {
            await close(countsAttempt: false)
        }
    }

    private func endIfCancelled() async throws(EventStreamingError) {
        guard Task.isCancelled else { return }
        await close(countsAttempt: false)
        throw EventStreamingError(.cancelled, "The consumer's task was cancelled; what it held was released.")
    }

    // MARK: - Fetching

    private func fetch(_ limit: Int) async throws(EventStreamingError) {
        defer {
            state.withLock { $0.fetchEnded() }
            fetches.notify()
        }
        do throws(EventStreamingError) {
            guard let lease = try await waitForLease(limit) else {
                return try await report(state.withLock { $0.takeUnrecorded() })
            }
            try await take(passingOverProcessed(lease))
        } catch {
            if error.code != .cancelled, !error.isRetriable {
                state.withLock { $0.fail(error) }
                engine.forget(self)
            }
            throw error
        }
    }

    /// Takes in a lease; what of it cannot be decoded goes to the dead letters at once.
    private func take(_ decoded: DecodedLease) async throws(EventStreamingError) {
        let (lease, failures) = (decoded.lease, decoded.failures)
        let isTaken = state.withLock { state in
            state.fetched(
                LeasedEvents(lease, of: self),
                processed: decoded.processed,
                rejected: failures.map(\.index),
                at: engine.clock.uptime
            )
        }
        guard isTaken else { return await release(lease) }
        engine.telemetry.count(lease, of: plan.definition.id)
        let missed = state.withLock { $0.note(missed: lease.missed) }
        if missed > 0 {
            logger.warning(
                "Events were removed from the stream before this position had finished them.",
                metadata: [LogKey.count: "\(missed)", LogKey.offset: "\(lease.offsets.lowerBound)"]
            )
        }
        if let first = failures.first {
            logger.error(
                lease.needsSettlement
                    ? "Events cannot be decoded; they go to the dead letters."
                    : "Events cannot be decoded; at most once they are lost.",
                metadata: [
                    LogKey.count: "\(failures.count)", LogKey.error: "\(first.error)",
                    LogKey.offset: "\(lease.events[first.index].offset)",
                ]
            )
        }
        guard lease.needsSettlement, !failures.isEmpty || !decoded.processed.isEmpty else { return }
        let rejections = failures.map { failure in
            let offset = lease.events[failure.index].offset
            return Rejection(
                offsets: offset..<offset.advanced(by: 1),
                action: .deadLetter,
                reason: failure.error.message
            )
        }
        let completed = decoded.processed.map { index in
            lease.events[index].offset..<lease.events[index].offset.advanced(by: 1)
        }
        state.withLock { $0.beginTelling(lease.epoch) }
        try await report(
            Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: completed, rejections: rejections)
        )
        let indices = lease.events.indices.upperBound..<lease.events.indices.upperBound
        if let rest = state.withLock({
            $0.complete(DeliveryKey(lease: lease.epoch, indices: indices)) { engine.clock.uptime }
        }) {
            try await report(rest)
        }
    }

    /// Leases events, waiting for some to come, after the store was told what it does not know yet; `nil` when the service
    /// drains.
    private func waitForLease(_ limit: Int) async throws(EventStreamingError) -> Lease? {
        let signal = engine.signal(of: plan.definition.id)
        var questions = 0
        var failures = 1
        while true {
            let version = signal.version
            guard !engine.lifecycle.isDraining else { return nil }
            try await endIfCancelled()
            await engine.releaseAbandoned()
            await markLost()
            var registered: ConsumerRegistration?
            do throws(EventStreamingError) {
                let registration = try await register()
                registered = registration
                guard state.withLock({ $0.isOpen }) else { return nil }
                switch try await dequeue(as: registration, limit: limit) {
                case .lease(let lease):
                    return lease
                case .empty(let until):
                    engine.activity.notify()
                    let deadline = engine.wakeUp(until, plan, afterQuestions: questions)
                    await signal.wait(since: version, until: deadline, clock: engine.clock)
                    questions += 1
                }
            } catch {
                switch error.code {
                case .unknownConsumer where !losesPosition:
                    // Nobody gave a sign of life for too long; the position is where it was.
                    logger.debug("The consumer's registration has ended; it registers again.")
                    if let registered {
                        state.withLock { $0.unregistered(registered) }
                    }
                case .leaseExpired:
                    noteLateSettlement(error)
                case .shuttingDown where engine.lifecycle.isDraining:
                    return nil
                default:
                    guard let policy = engine.reconnects, error.isRetriable else { throw error }
                    logger.debug("Events cannot be had at the moment.", metadata: [LogKey.error: "\(error)"])
                    let deadline = engine.clock.uptime + policy.delay(beforeAttempt: failures)
                    failures += 1
                    await signal.wait(since: version, until: deadline, clock: engine.clock)
                }
            }
        }
    }

    /// Leases events, and tells the store in the same call what is finished.
    private func dequeue(
        as registration: ConsumerRegistration,
        limit: Int
    ) async throws(EventStreamingError) -> DequeueResult {
        let (finished, unrecorded) = state.withLock { ($0.takeFinished(), $0.takeUnrecorded()) }
        do throws(EventStreamingError) {
            try await report(unrecorded)
        } catch {
            if let finished {
                state.withLock { $0.keep(finished) }
            }
            throw error
        }
        guard let finished, finished.holder == registration else {
            return try await engine.store.dequeue(as: registration, limit: limit)
        }
        do throws(EventStreamingError) {
            return try await recording(finished) { () async throws(EventStreamingError) in
                try await engine.store.dequeue(as: registration, limit: limit, settling: finished)
            }
        } catch {
            await recordAlone(finished, after: error)
            throw error
        }
    }

    /// Whether the end of the registration is the end of the position, so that going on would pass over events.
    private var losesPosition: Bool { kind == .temporary && !plan.definition.mode.sharesPosition }

    /// The registration; makes one when there is none.
    @discardableResult
    func register() async throws(EventStreamingError) -> ConsumerRegistration {
        if let registration = state.withLock({ $0.registration }) { return registration }
        try await engine.preparation.ready()
        let registration = try await engine.store.registerConsumer(
            id,
            of: plan.definition.id,
            kind: kind,
            start: start
        )
        engine.remember(self)
        guard state.withLock({ $0.registered(registration) }) else {
            await release((registration, []))
            return registration
        }
        logger.debug("Consumer registered.")
        return registration
    }

    /// Takes over a registration that was made before.
    func adopt(_ registration: ConsumerRegistration) {
        engine.remember(self)
        _ = state.withLock { $0.registered(registration) }
    }

    // MARK: - Keeping alive

    /// Tells the store that the consumer lives, what it has finished, and what it has held for too long.
    func heartbeat() async throws(EventStreamingError) {
        let (registration, settlements) = state.withLock { state in
            state.beginReport()
            return (
                state.registration,
                state.heartbeat(visibilityTimeout: plan.definition.visibilityTimeout, now: engine.clock.uptime)
            )
        }
        defer { state.withLock { $0.endReport() } }
        guard let registration else { return }
        try await report(settlements)
        let leases = state.withLock { $0.leases }
        do throws(EventStreamingError) {
            try await engine.store.heartbeat(registration, extending: .only(leases))
        } catch {
            switch error.code {
            case .unknownConsumer where !losesPosition:
                // It registers again when it asks for the next event; what it held is delivered to others.
                state.withLock { $0.unregistered(registration) }
                engine.signal(of: plan.definition.id).notify()
            case .consumerReplaced, .unknownConsumer:
                fail(error)
            default:
                throw error
            }
        }
    }

    /// Ends the consumer because its registration has ended.
    func fail(_ error: EventStreamingError) {
        state.withLock { $0.fail(error) }
        engine.forget(self)
        engine.signal(of: plan.definition.id).notify()
        fetches.notify()
    }

    // MARK: - Ending

    /// Hands out nothing more; what is in hand may still be finished.
    func end() {
        state.withLock { $0.end() }
        engine.signal(of: plan.definition.id).notify()
        fetches.notify()
    }

    /// Gives everything back and unregisters; once, later calls do nothing. Works in a cancelled task too.
    func close(countsAttempt: Bool) async {
        guard let held = state.withLock({ $0.close(countsAttempt: countsAttempt) }) else {
            // Its loop gave it up, or somebody else closes it; this returns when that is done, too.
            await engine.releaseAbandoned()
            return await engine.waitUntilForgotten(self)
        }
        await release(held)
    }

    /// Ends the consumer without waiting, from a deinitialiser: what it held is given back by whoever of the engine comes
    /// next, at once while the service runs.
    func abandon() {
        let countsAttempt = !Task.isCancelled && !engine.lifecycle.isDraining
        guard let held = state.withLock({ $0.close(countsAttempt: countsAttempt) }) else { return }
        guard held.registration != nil else { return }
        engine.abandon(Abandoned(consumer: self, registration: held.registration, settlements: held.settlements))
    }

    func release(_ held: (registration: ConsumerRegistration?, settlements: [Settlement])) async {
        guard Task.isCancelled, held.registration != nil else { return await giveBack(held) }
        // A store may refuse work for a cancelled task, so another one does it.
        await Task { await giveBack(held) }.value
    }

    private func giveBack(_ held: (registration: ConsumerRegistration?, settlements: [Settlement])) async {
        // Forgotten last: whoever waits for all consumers to be gone waits for this, too.
        defer { engine.forget(self) }
        fetches.notify()
        guard let registration = held.registration else { return }
        for settlement in held.settlements {
            await attempt { () async throws(EventStreamingError) in try await engine.store.settle(settlement) }
        }
        await attempt { () async throws(EventStreamingError) in
            try await engine.store.unregisterConsumer(registration)
        }
        logger.debug("Consumer unregistered.")
    }

    /// Does a part of giving back. What fails is no harm: the store takes everything back by itself when leases run out.
    private func attempt(_ body: () async throws(EventStreamingError) -> Void) async {
        do throws(EventStreamingError) {
            try await body()
        } catch {
            logger.debug("What a consumer held could not be given back.", metadata: [LogKey.error: "\(error)"])
        }
    }

    func release(_ lease: Lease) async {
        await attempt { () async throws(EventStreamingError) in try await engine.store.release(lease) }
    }
}
