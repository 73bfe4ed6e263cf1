import EventStreamingCore
import Logging
import Synchronization

extension Consumer {
    /// Says that events of one lease were read: those that are not settled are, in the same change; the others are marked
    /// when the store knows that they were delivered.
    func markAsRead(_ handout: Handout) async throws(EventStreamingError) {
        guard plan.keepsReceipts else { throw .noReceipts(in: plan.definition) }
        if engine.lifecycle.phase == .stopped { throw Lifecycle.shutDown }
        while true {
            let version = fetches.version
            switch try state.withLock({ state throws(EventStreamingError) in try state.beginReading(handout) }) {
            case .settle(let batch, let rest):
                try await settleAsRead(batch)
                return rest.isEmpty ? () : try await mark(rest, of: handout)
            case .mark(let indices):
                return try await mark(indices, of: handout)
            case .wait:
                // Perhaps what it waits for is waiting itself, to be told again.
                if try await !reportKept() {
                    await fetches.wait(since: version)
                }
            case .closed:
                await engine.releaseAbandoned()
                await engine.waitUntilForgotten(self)
                return try await mark(Array(handout.indices), of: handout)
            }
            if Task.isCancelled {
                throw EventStreamingError(.cancelled, "The task was cancelled before the event was marked as read.")
            }
        }
    }

    private func settleAsRead(_ batch: SettlingBatch) async throws(EventStreamingError) {
        defer { endSettling() }
        do throws(EventStreamingError) {
            try await record(batch.reading)
        } catch {
            let rest = state.withLock { state in
                state.endSettling(batch, isSettled: isKept(error)) { engine.clock.uptime }
            }
            state.withLock { $0.keep([rest].compactMap { $0 }) }
            throw error
        }
        if let rest = state.withLock({ $0.endSettling(batch, isSettled: true) { engine.clock.uptime } }) {
            try await report(rest)
        }
    }

    /// Tells the store again what it could not be told before.
    ///
    /// - Returns: Whether there was anything.
    private func reportKept() async throws(EventStreamingError) -> Bool {
        let kept = state.withLock { state in
            state.beginReport()
            return state.takeUnrecorded()
        }
        defer { state.withLock { $0.endReport() } }
        try await report(kept)
        return !kept.isEmpty
    }

    /// Marks events that were delivered before. Of several, those that were not, because they were rejected, are left alone.
    private func mark(_ indices: [Int], of handout: Handout) async throws(EventStreamingError) {
        let ids = indices.map { handout.source.lease.events[$0].id }
        let subscription = plan.definition.id
        do throws(EventStreamingError) {
            _ = try await engine.store.markRead(.events(ids), by: id, of: subscription)
        } catch  where error.code == .notDelivered && ids.count > 1 {
            var isDelivered = false
            for event in ids {
                do throws(EventStreamingError) {
                    _ = try await engine.store.markRead(.events([event]), by: id, of: subscription)
                    isDelivered = true
                } catch  where error.code == .notDelivered {
                    continue
                }
            }
            if !isDelivered { throw error }
        }
        engine.activity.notify()
    }

    /// Returns when the store knows what is finished by now, or cannot be told; it is told again then.
    func reportFinished() async {
        let (settlements, leases) = state.withLock { state in
            state.beginReport()
            return (state.takeUntold(), Set((state.unanswered ?? [:]).keys))
        }
        do throws(EventStreamingError) {
            defer { state.withLock { $0.endReport() } }
            try await report(settlements)
        } catch {
            return logger.debug("What is finished could not be told yet.", metadata: [LogKey.error: "\(error)"])
        }
        while !Task.isCancelled {
            let version = fetches.version
            guard state.withLock({ $0.isOpen && $0.awaitsAnswers(of: leases) }) else { return }
            await fetches.wait(since: version)
        }
    }

    /// Notes that settling has ended, whatever became of it.
    func endSettling() {
        state.withLock { $0.endReport() }
        noteProgress()
    }

    /// Notes that the store has answered to a settlement.
    func noteAnswer(to settlement: Settlement) {
        guard plan.keepsReceipts else { return }
        state.withLock { $0.endTelling(settlement.leaseEpoch) }
        fetches.notify()
    }

    /// Wakes those who wait for the store to know what is finished.
    func noteProgress() {
        if plan.keepsReceipts {
            fetches.notify()
        }
    }
}

extension SubscriptionPlan {
    /// Whether it is remembered who has read what.
    var keepsReceipts: Bool { definition.mode == .readReceipt }
}

extension EventStreamingError {
    /// A subscription in another mode than `readReceipt`.
    static func noReceipts(in subscription: SubscriptionDefinition) -> Self {
        Self(
            .unsupported,
            "Subscription '\(subscription.id)' has mode \(subscription.mode), in which nobody remembers what was read; use "
                + "mode readReceipt."
        )
    }
}
