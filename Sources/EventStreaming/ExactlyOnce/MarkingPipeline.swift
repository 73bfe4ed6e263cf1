import EventStreamingCore
import Logging
import Synchronization

/// Handles events under a lock, and marks them as processed when they are done.
///
/// A batch costs a look at its marks, taken with the lock in one call, and one durable change: marks, settlement and the end
/// of the lock. Between a handler's effect and that change a crash repeats the effect; nothing else does, for as long as the
/// process can reach the store again.
struct MarkingPipeline: Sendable {
    /// How many events share a lock at most.
    static let batchSize = 100

    private static let contention: RetryPolicy = {
        var policy = RetryPolicy()
        policy.initialDelay = .milliseconds(10)
        policy.maximumDelay = .seconds(1)
        return policy
    }()

    let runner: HandlerRunner
    let consumer: Consumer

    private var engine: Engine { consumer.engine }
    private var definition: SubscriptionDefinition { consumer.plan.definition }
    private var processor: ProcessorID { definition.processor(of: consumer.id) }

    /// Works until there are no more events to come.
    func run() async throws(EventStreamingError) {
        while let handout = try await consumer.next(Self.batchSize, completing: nil) {
            consumer.state.withLock { $0.queue(handout.key) }
            for part in parts(of: handout) {
                try await process(part)
            }
        }
    }

    /// What shares a lock. In a consumer group, events without a gap: what is in a gap may be another member's, who works
    /// at it at the same time.
    private func parts(of handout: Handout) -> [Handout] {
        guard definition.mode == .consumerGroup else { return [handout] }
        let events = handout.source.lease.events
        var parts: [Range<Int>] = []
        for index in handout.indices {
            if let last = parts.last, events[index - 1].offset.advanced(by: 1) == events[index].offset {
                parts[parts.count - 1] = last.lowerBound..<index + 1
            } else {
                parts.append(index..<index + 1)
            }
        }
        return parts.map { Handout(source: handout.source, indices: $0) }
    }

    private func process(_ handout: Handout) async throws(EventStreamingError) {
        guard let claim = try await claim(handout) else { return }
        var done: [Int] = []
        done.reserveCapacity(handout.indices.count)
        var failure: EventStreamingError?
        for index in handout.indices {
            // What is not begun is given back when the consumer closes.
            if Task.isCancelled || engine.lifecycle.isDraining { break }
            let delivery = Delivery(handout.source, at: index)
            guard consumer.state.withLock({ $0.begin(delivery.key) }) else { continue }
            if claim.processed.contains(delivery.record.id) {
                done.append(index)
                continue
            }
            do throws(EventStreamingError) {
                if try await runner.handle(delivery) {
                    done.append(index)
                }
            } catch {
                failure = error
                break
            }
        }
        let finished = done
        try await evenIfCancelled { () async throws(EventStreamingError) in
            try await finish(finished, of: handout.source, releasing: claim.lock)
        }
        if let failure { throw failure }
    }

    // MARK: - Locking

    /// Takes the lock of a batch, waiting for somebody else who has it; `nil` when that took too long, or the service ends.
    private func claim(_ handout: Handout) async throws(EventStreamingError) -> ProcessingClaim? {
        let lease = handout.source.lease
        guard let first = lease.events[handout.indices].first, let last = lease.events[handout.indices].last else {
            return nil
        }
        let key = IdempotencyKey(processing: first.offset..<last.offset.advanced(by: 1), by: processor)
        let ids = lease.events[handout.indices].map(\.id)
        // Longer than any lease: who still has the lock then has lost the events.
        let duration = min(definition.visibilityTimeout, definition.consumerTimeout)
        let deadline = engine.clock.uptime + duration * 2
        var random = SystemRandomNumberGenerator()
        var attempts = 0
        while true {
            if let claim = try await engine.store.claim(ids, by: processor, locking: key, for: duration) {
                return claim
            }
            if Task.isCancelled || engine.lifecycle.isDraining { return nil }
            guard engine.clock.uptime < deadline else { break }
            attempts += 1
            await wait(Self.contention.delay(afterAttempt: attempts, using: &random))
        }
        consumer.logger.warning(
            "Somebody else kept the lock of events for too long; they are delivered again later.",
            metadata: [LogKey.count: "\(ids.count)", LogKey.offset: "\(first.offset)"]
        )
        try await reject(handout)
        return nil
    }

    private func reject(_ handout: Handout) async throws(EventStreamingError) {
        for index in handout.indices {
            let delivery = Delivery(handout.source, at: index)
            do throws(EventStreamingError) {
                try await delivery.reject(.requeue, reason: "another consumer was still processing it")
            } catch  where error.code == .leaseExpired || error.code == .alreadySettled {
                continue
            }
        }
    }

    private func wait(_ delay: Duration) async {
        let changes = engine.lifecycle.changes
        let version = changes.version
        guard !engine.lifecycle.isDraining else { return }
        await changes.wait(since: version, until: engine.clock.uptime + delay, clock: engine.clock)
    }

    // MARK: - Finishing

    /// Marks and settles what is done, and gives the lock back. While the store cannot be reached it is tried again: what was
    /// done and is not marked would be done again.
    private func finish(
        _ done: [Int],
        of source: LeasedEvents,
        releasing lock: IdempotencyLock
    ) async throws(EventStreamingError) {
        var processed = ProcessedEvents(done.map { source.lease.events[$0].id }, by: processor, releasing: lock)
        guard let batch = consumer.beginSettling(done, of: source) else {
            // Taken back meanwhile, or nothing was done at all.
            if !done.isEmpty {
                return try await repeating { () async throws(EventStreamingError) in try await mark(processed) }
            }
            return await release(lock)
        }
        var settlement = batch.settlement
        settlement.processed = processed
        do throws(EventStreamingError) {
            try await repeating { () async throws(EventStreamingError) in try await engine.store.settle(settlement) }
        } catch {
            try await consumer.endSettling(batch, isSettled: false)
            consumer.noteEnd(of: settlement, error)
            guard !error.isRetriable, error.code != .cancelled else { throw error }
            processed.lock = lock
            try await repeating { () async throws(EventStreamingError) in try await mark(processed) }
            guard error.code == .leaseExpired || error.code == .alreadySettled || error.code == .unknownConsumer else {
                throw error
            }
            consumer.state.withLock { $0.forget(batch.lease) }
            return consumer.noteLateSettlement(error)
        }
        try await consumer.endSettling(batch, isSettled: true)
    }

    private func mark(_ processed: ProcessedEvents) async throws(EventStreamingError) {
        let new = try await engine.store.markProcessed(processed.events, by: processed.processor, at: nil)
        consumer.logger.info(
            "A lease had ended before its events were settled; they are marked, and will be passed over.",
            metadata: [LogKey.count: "\(new.count)", "processedTwice": "\(processed.events.count - new.count)"]
        )
        if let lock = processed.lock {
            await release(lock)
        }
    }

    /// What cannot be given back ends by itself.
    private func release(_ lock: IdempotencyLock) async {
        _ = try? await engine.store.releaseLocks([lock])
    }

    /// Does something until it succeeds, is refused, or the task is cancelled.
    private func repeating(_ body: () async throws(EventStreamingError) -> Void) async throws(EventStreamingError) {
        var random = SystemRandomNumberGenerator()
        var attempts = 0
        while true {
            do throws(EventStreamingError) {
                return try await body()
            } catch {
                guard error.isRetriable, !Task.isCancelled, engine.lifecycle.phase < .stopped else { throw error }
                attempts += 1
                consumer.logger.debug(
                    "What was processed could not be marked; it is tried again.",
                    metadata: [LogKey.error: "\(error)"]
                )
                let delay = Self.contention.delay(afterAttempt: attempts, using: &random)
                try? await engine.clock.sleep(until: engine.clock.uptime + delay)
            }
        }
    }

    /// Does something in a task that is not cancelled: a store may refuse work for one that is.
    private func evenIfCancelled(
        _ body: @escaping @Sendable () async throws(EventStreamingError) -> Void
    ) async throws(EventStreamingError) {
        guard Task.isCancelled else { return try await body() }
        try await Task { () async -> Result<Void, EventStreamingError> in
            do throws(EventStreamingError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }.value.get()
    }
}
