import EventStreamingCore
import Logging

/// Looks in the background for events that users did not read in time, removes receipts of events that are gone, and
/// counts what is unread.
///
/// A round that finds nothing only reads. Of several processes that share a store one does the work: a lock keeps the
/// others away, so that they do not hinder each other; nothing depends on it.
struct UnreadService: Sendable {
    /// The most events that expire in one change, and the most receipts that are removed in one.
    private static let stepSize = 500
    /// How long one process may be at work on a step before another joins in.
    private static let lockDuration = Duration.seconds(60)
    /// The most unread events that are counted.
    private static let countLimit = 10_000

    let engine: Engine

    /// The subscriptions that keep receipts, by name.
    var plans: [SubscriptionPlan] {
        engine.plans.values.filter(\.keepsReceipts).sorted { $0.definition.id < $1.definition.id }
    }

    /// Whether there is anything to do, now or ever.
    var hasWork: Bool { engine.plans.values.contains(where: \.keepsReceipts) }

    /// Works until the service drains or the task is cancelled: at once, and then once in every interval. Does nothing
    /// where no subscription keeps receipts.
    @concurrent
    func run() async {
        let plans = plans
        guard !plans.isEmpty else { return }
        let changes = engine.lifecycle.changes
        var cleanedUp: [SubscriptionID: StreamOffset] = [:]
        while !Task.isCancelled {
            let version = changes.version
            guard !engine.lifecycle.isDraining else { return }
            let next = engine.clock.uptime + engine.options.unreadInterval
            for plan in plans {
                await expire(plan)
                cleanedUp[plan.definition.id] = await cleanUp(plan, after: cleanedUp[plan.definition.id])
                await measure(plan)
            }
            while engine.lifecycle.phase == .running, changes.version == version, engine.clock.uptime < next {
                await changes.wait(since: version, until: next, clock: engine.clock)
                if Task.isCancelled { return }
            }
        }
    }

    private var isEnding: Bool { Task.isCancelled || engine.lifecycle.isDraining }

    // MARK: - Expiring

    /// Does what the subscription's policy says with everything that is unread for too long, step by step.
    private func expire(_ plan: SubscriptionPlan) async {
        guard let rule = plan.unread else { return }
        let subscription = plan.definition.id
        var total = UnreadExpiry()
        var failure: EventStreamingError?
        do throws(EventStreamingError) {
            let store = engine.store
            let first = try await store.expiredUnreadReceipts(of: subscription, after: rule.timeout, limit: 1)
            guard !first.isEmpty else { return }
            try await locking("unread \(subscription)") { () async throws(EventStreamingError) in
                let step = try await store.expireUnread(
                    of: subscription,
                    after: rule.timeout,
                    policy: rule.policy,
                    limit: Self.stepSize
                )
                engine.telemetry.record(step, of: subscription)
                total.requeued += step.requeued
                total.deadLettered += step.deadLettered
                total.dropped += step.dropped
                return !step.isEmpty
            }
        } catch {
            failure = error
        }
        report(total, of: plan, rule)
        if let failure, failure.code != .cancelled {
            engine.options.logger.warning(
                "Events that were unread for too long could not be dealt with; it is tried again.",
                metadata: [LogKey.subscription: "\(subscription)", LogKey.error: "\(failure)"]
            )
        }
    }

    private func report(_ total: UnreadExpiry, of plan: SubscriptionPlan, _ rule: UnreadRule) {
        guard !total.isEmpty else { return }
        engine.activity.notify()
        engine.signal(of: plan.definition.id).notify()
        engine.options.logger.info(
            "Events were unread for too long.",
            metadata: [
                LogKey.subscription: "\(plan.definition.id)", "timeout": "\(rule.timeout)",
                "requeued": "\(total.requeued)", "deadLettered": "\(total.deadLettered)", "dropped": "\(total.dropped)",
            ]
        )
    }

    /// Takes steps for as long as there are more to take and nobody else takes them.
    private func locking(
        _ name: String,
        _ step: () async throws(EventStreamingError) -> Bool
    ) async throws(EventStreamingError) {
        guard var lock = try await engine.store.tryAcquireLock(name, for: Self.lockDuration) else { return }
        var end = engine.clock.uptime + Self.lockDuration / 2
        do throws(EventStreamingError) {
            while try await step(), !isEnding {
                guard engine.clock.uptime >= end else { continue }
                _ = try await engine.store.releaseLock(lock)
                guard let next = try await engine.store.tryAcquireLock(name, for: Self.lockDuration) else { return }
                lock = next
                end = engine.clock.uptime + Self.lockDuration / 2
            }
        } catch {
            await release(lock)
            throw error
        }
        await release(lock)
    }

    /// What cannot be given back ends by itself.
    private func release(_ lock: IdempotencyLock) async {
        _ = try? await engine.store.releaseLock(lock)
    }

    // MARK: - Cleaning up

    /// Removes receipts of events that the stream does not keep any more, where it keeps less than at the last time.
    ///
    /// - Parameter offset: The stream's oldest event when this was done last.
    /// - Returns: The stream's oldest event now, if everything before it was removed.
    private func cleanUp(_ plan: SubscriptionPlan, after offset: StreamOffset?) async -> StreamOffset? {
        let (subscription, store) = (plan.definition.id, engine.store)
        do throws(EventStreamingError) {
            let first = try await store.metadata(of: plan.definition.stream).first
            guard first > offset ?? .zero else { return offset }
            var removed = 0
            while !isEnding {
                let count = try await store.cleanUpReceipts(of: subscription, limit: Self.stepSize)
                removed += count
                guard count > 0 else { break }
            }
            if removed > 0 {
                engine.options.logger.debug(
                    "Receipts of events that are gone were removed.",
                    metadata: [LogKey.subscription: "\(subscription)", LogKey.count: "\(removed)"]
                )
            }
            return isEnding ? offset : first
        } catch  where error.code != .cancelled {
            engine.options.logger.warning(
                "Receipts of events that are gone could not be removed; it is tried again.",
                metadata: [LogKey.subscription: "\(subscription)", LogKey.error: "\(error)"]
            )
            return offset
        } catch {
            return offset
        }
    }

    // MARK: - Counting

    private func measure(_ plan: SubscriptionPlan) async {
        guard engine.telemetry.isMeasuring, !isEnding else { return }
        let subscription = plan.definition.id
        let unread = try? await engine.store.expiredUnreadReceipts(
            of: subscription,
            after: .zero,
            limit: Self.countLimit
        )
        if let unread {
            engine.telemetry.record(unread, of: subscription, at: engine.clock.now)
        }
    }
}
