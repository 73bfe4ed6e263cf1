import EventStreamingCore
import Logging
import Synchronization

extension Consumer {
    // MARK: - Passing over

    /// The lease, decoded, without the events that were processed before, where those are not handed out.
    func passingOverProcessed(_ lease: Lease) async throws(EventStreamingError) -> DecodedLease {
        guard passesOverProcessed, lease.needsSettlement else { return engine.decode(lease) }
        do throws(EventStreamingError) {
            let processor = plan.definition.processor(of: id)
            let processed = try await engine.store.wasProcessed(lease.events.map(\.id), by: processor)
            if !processed.isEmpty {
                logger.debug(
                    "Events were processed before; they are passed over.",
                    metadata: [LogKey.count: "\(processed.count)", LogKey.offset: "\(lease.offsets.lowerBound)"]
                )
            }
            return engine.decode(lease, passingOver: processed)
        } catch {
            await release(lease)
            throw error
        }
    }

    // MARK: - Transactions only

    static var needsTransaction: EventStreamingError {
        EventStreamingError(
            .unsupported,
            "This subscription is exactly once: an event is finished only by acknowledge(writing:), whose writes are "
                + "committed with it. Use that, reject the delivery, or configure .exactlyOnce(.lockAndMark)."
        )
    }

    /// Throws where a delivery would be acknowledged without a transaction that it needs.
    func checkIsFinished(_ key: DeliveryKey?) throws(EventStreamingError) {
        guard let key, plan.needsTransaction else { return }
        let isFinished = state.withLock { state in
            key.indices.allSatisfy { state.isSettled(DeliveryKey(lease: key.lease, indices: $0..<$0 + 1)) }
        }
        guard isFinished else { throw Self.needsTransaction }
    }

    // MARK: - Batches

    /// Begins to settle those of the events that are still held.
    func beginSettling(_ indices: some Sequence<Int>, of source: LeasedEvents) -> SettlingBatch? {
        state.withLock { state in
            guard let batch = state.beginSettling(indices, of: source) else { return nil }
            state.beginReport()
            return batch
        }
    }

    /// Ends that, with what the store made of it.
    func endSettling(_ batch: SettlingBatch, isSettled: Bool) async throws(EventStreamingError) {
        defer { state.withLock { $0.endReport() } }
        let rest = state.withLock { $0.endSettling(batch, isSettled: isSettled) { engine.clock.uptime } }
        if isSettled {
            noteSettled()
        }
        if let rest {
            try await report(rest)
        }
    }

    // MARK: - Marks

    /// Marks what was processed, though its settlement was refused, so that it is not done again. One attempt: when it
    /// fails, the events are processed again, as after a crash.
    func mark(_ processed: ProcessedEvents) async {
        do throws(EventStreamingError) {
            let new = try await engine.store.markProcessed(processed.events, by: processed.processor, at: nil)
            logger.info(
                "A lease had ended before its events were settled; they are marked, and will be passed over.",
                metadata: [LogKey.count: "\(new.count)", "processedTwice": "\(processed.events.count - new.count)"]
            )
            if let lock = processed.lock {
                _ = try await engine.store.releaseLocks([lock])
            }
        } catch {
            logger.warning(
                "Events were processed and could not be marked; they are processed again.",
                metadata: [LogKey.count: "\(processed.events.count)", LogKey.error: "\(error)"]
            )
        }
    }

    /// Marks what could not be marked with its settlement, because the registration had ended.
    func markLost() async {
        for processed in state.withLock({ $0.takeLostMarks() }) {
            await mark(processed)
        }
    }
}

/// Undoes a transaction for an event that was processed before.
struct ProcessedBefore: Error {
    static var error: EventStreamingError {
        EventStreamingError(
            .alreadySettled,
            "The event was processed before, and is finished now; nothing was written. Go on with the next one."
        )
    }
}
