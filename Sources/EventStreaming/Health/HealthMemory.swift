import EventStreamingCore

/// What was seen of a subscription before, and what follows from it and from what is seen now.
///
/// A value that knows no store and no clock. How long nothing moved is measured by the monotonic clock; the wall clock is
/// only shown.
struct HealthMemory: Sendable {
    struct Moment: Sendable {
        let now: Timestamp
        let uptime: Duration
    }

    /// A position as it was seen last, and when it moved.
    private struct Place: Sendable {
        var progress: SubscriptionProgress
        var movedAt: Moment

        /// Whether something was finished, given up or passed over since, or there was nothing to do.
        func hasMoved(to new: SubscriptionProgress) -> Bool {
            new.isFinished || progress.isFinished || new.finished != progress.finished || new.missed != progress.missed
                || new.inFlight + new.waiting < progress.inFlight + progress.waiting
        }
    }

    /// What a finding is about, as long as it lasts.
    private enum Matter: Hashable {
        case noConsumer, unowned, storeUnavailable
        case behind(ConsumerID?)
        case parked
    }

    let definition: SubscriptionDefinition
    let thresholds: HealthThresholds
    private var places: [ConsumerID?: Place] = [:]
    private var begun: [Matter: Timestamp] = [:]
    private var okSince: Timestamp?
    private var measures: SubscriptionHealth.Measures?
    private var isAway = false
    private var owners = OwnerWatch()

    init(_ definition: SubscriptionDefinition, _ thresholds: HealthThresholds) {
        self.definition = definition
        self.thresholds = thresholds
    }

    // MARK: - Seeing

    /// Takes in what the store says.
    mutating func see(_ snapshot: SubscriptionSnapshot, at moment: Moment) -> HealthObservation {
        measures = snapshot.measures(at: moment.now)
        move(snapshot.positions, at: moment)
        var findings: [HealthFinding] = []
        var matters: [Matter: Timestamp] = [:]
        func begin(_ matter: Matter, _ derived: Timestamp?) -> Timestamp {
            let since = min(begun[matter] ?? derived ?? moment.now, moment.now)
            matters[matter] = since
            return since
        }
        if snapshot.connected.isEmpty, definition.mode != .readReceipt {
            let cause = HealthCause.noConsumer(lastSeen: snapshot.lastSeen)
            findings.append(HealthFinding(.noOwner, cause, since: begin(.noConsumer, snapshot.lastSeen)))
        } else {
            let unowned = snapshot.partitions.filter { $0.owner == nil }.map(\.number)
            if !unowned.isEmpty {
                let since = begin(.unowned, nil)
                findings.append(HealthFinding(.noOwner, .partitionsWithoutOwner(unowned), since: since))
            }
            let slowest = snapshot.positions.filter { $0.lag > 0 }.map(\.position).min()
            for progress in snapshot.positions where !progress.isFinished {
                let oldest = progress.position == slowest ? snapshot.oldest : nil
                if progress.behindParked > 0 {
                    let cause = HealthCause.parked(keys: progress.parkedKeys, events: progress.behindParked)
                    let isAll = isStalled(progress, at: moment) && progress.waiting == progress.behindParked
                    let finding = HealthFinding(
                        isAll ? .stalled : .lagging, cause, consumer: progress.consumer, since: begin(.parked, nil))
                    findings.append(finding)
                    if isAll { continue }
                }
                if let finding = stall(of: progress, snapshot, at: moment) {
                    findings.append(finding)
                } else if isLate(progress, oldest, at: moment) {
                    let derived = oldest.flatMap { oldest in thresholds.lagTime.map { oldest + $0 } }
                    let since = begin(.behind(progress.consumer), derived)
                    let cause = HealthCause.behind(events: progress.lag, oldest: oldest)
                    findings.append(HealthFinding(.lagging, cause, consumer: progress.consumer, since: since))
                }
            }
        }
        begun = matters
        return observation(
            findings, at: moment,
            ownerChanges: owners.countChanges(in: snapshot),
            unowned: snapshot.partitions.count { $0.owner == nil }
        )
    }

    /// Takes in that the store does not answer.
    mutating func fail(_ error: EventStreamingError, at moment: Moment) -> HealthObservation {
        isAway = true
        let since = begun[.storeUnavailable] ?? moment.now
        begun = [.storeUnavailable: since]
        let finding = HealthFinding(.stalled, .storeUnavailable(error: error.message), since: since)
        return observation([finding], at: moment, ownerChanges: 0, unowned: nil)
    }

    // MARK: - Parts

    /// Notes which positions moved. After an outage, in which nothing could, the time begins anew.
    private mutating func move(_ positions: [SubscriptionProgress], at moment: Moment) {
        let known = isAway ? [:] : places
        isAway = false
        places = [:]
        for progress in positions {
            var place = Place(progress: progress, movedAt: moment)
            if let before = known[progress.consumer], !before.hasMoved(to: progress) {
                place.movedAt = before.movedAt
            }
            places[progress.consumer] = place
        }
    }

    private func isStalled(_ progress: SubscriptionProgress, at moment: Moment) -> Bool {
        guard let place = places[progress.consumer] else { return false }
        return moment.uptime - place.movedAt.uptime >= thresholds.stallTime
    }

    private func stall(
        of progress: SubscriptionProgress,
        _ snapshot: SubscriptionSnapshot,
        at moment: Moment
    ) -> HealthFinding? {
        guard let place = places[progress.consumer], isStalled(progress, at: moment) else { return nil }
        let consumer = snapshot.consumers.first { $0.id == progress.consumer }
        if let consumer, !consumer.isConnected {
            // Users who read nothing at the moment are not missed.
            guard definition.mode != .readReceipt else { return nil }
            let cause = HealthCause.consumerAway(consumer.id, lastSeen: consumer.lastSeenAt)
            let since = min(consumer.lastSeenAt, moment.now)
            return HealthFinding(.stalled, cause, consumer: progress.consumer, since: since)
        }
        let cause = cause(of: progress, consumer.map { [$0.id] } ?? snapshot.connected)
        return HealthFinding(.stalled, cause, consumer: progress.consumer, since: place.movedAt.now)
    }

    private func cause(of progress: SubscriptionProgress, _ connected: [ConsumerID]) -> HealthCause {
        if let held = progress.held {
            return .handlerBusy(held)
        }
        let given = progress.finished + progress.waiting + progress.inFlight
        // In a group, what waits without a delay may be behind an event of its key that failed.
        let isWaiting = progress.waiting == progress.delayed || definition.mode == .consumerGroup
        if let retry = progress.retry, isWaiting, Int(clamping: progress.head.rawValue) <= given {
            return .backOff(events: progress.waiting, next: retry)
        }
        return .notFetching(connected)
    }

    private func isLate(_ progress: SubscriptionProgress, _ oldest: Timestamp?, at moment: Moment) -> Bool {
        if let limit = thresholds.lagEvents, progress.lag >= limit { return true }
        guard let limit = thresholds.lagTime, let oldest else { return false }
        return moment.now - oldest >= limit
    }

    private mutating func observation(
        _ findings: [HealthFinding],
        at moment: Moment,
        ownerChanges: Int,
        unowned: Int?
    ) -> HealthObservation {
        let findings = findings.sorted { left, right in
            left.status == right.status ? left.since < right.since : left.status > right.status
        }
        okSince = findings.isEmpty ? okSince ?? moment.now : nil
        let health = SubscriptionHealth(
            subscription: definition.id,
            stream: definition.stream,
            status: findings.first?.status ?? .ok,
            since: findings.first?.since ?? okSince ?? moment.now,
            findings: findings,
            measures: measures
        )
        return HealthObservation(health: health, ownerChanges: ownerChanges, unowned: unowned)
    }
}

/// What was found out about a subscription at a moment.
struct HealthObservation: Sendable {
    let health: SubscriptionHealth
    /// How often a consumer or an owner of a partition changed since the last observation.
    let ownerChanges: Int
    /// How many partitions have no owner; `nil` when nobody knows.
    let unowned: Int?
}
