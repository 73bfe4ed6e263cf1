import EventStreamingCore
import EventStreamingStoreKit

extension StreamState {
    /// Removes the events before `offset`; positions behind move up to it.
    ///
    /// - Returns: The offsets that some position had not finished.
    @discardableResult
    mutating func trim(before offset: Int64, effects: inout Effects) -> OffsetRanges {
        var unfinished = OffsetRanges()
        trim(before: offset, effects: &effects) { unfinished.formUnion($1) }
        return unfinished
    }

    /// - Parameter report: Told the subscriptions that had not finished some offsets, with the offsets.
    private mutating func trim(
        before offset: Int64,
        effects: inout Effects,
        _ report: (SubscriptionID, OffsetRanges) -> Void
    ) {
        for index in subscriptions.indices {
            let unfinished = subscriptions[index].state.lap(before: offset, floor: &floor)
            if !unfinished.isEmpty {
                report(subscriptions[index].state.definition.id, unfinished)
            }
        }
        removeEvents(before: offset, effects: &effects)
    }

    // MARK: - By policy

    /// Removes what the retention policy asks for.
    mutating func applyRetention(at now: Timestamp, effects: inout Effects) -> RetentionResult {
        let first = log.first
        let limit = retentionLimit(at: now)
        guard first < limit else {
            return RetentionResult(removed: StreamOffset(first)..<StreamOffset(first))
        }
        var missed: [MissedEvents] = []
        trim(before: limit, effects: &effects) { subscription, unfinished in
            let count = unfinished.count(in: first..<limit)
            if count > 0 {
                missed.append(MissedEvents(subscription: subscription, count: count))
            }
        }
        return RetentionResult(
            removed: StreamOffset(first)..<StreamOffset(limit),
            missed: missed.sorted { $0.subscription < $1.subscription }
        )
    }

    /// The offset before which the policy wants nothing to be kept.
    private func retentionLimit(at now: Timestamp) -> Int64 {
        var limit = log.first
        if let count = retention.maximumCount {
            limit = max(limit, log.head - Int64(count))
        }
        if let age = retention.maximumAge {
            limit = max(limit, log.offset(at: now - age))
        }
        if let maximum = retention.maximumBytes {
            var bytes = log.bytes
            var offset = log.first
            while bytes > maximum, offset < log.head {
                bytes &-= log[offset].size
                offset += 1
            }
            limit = max(limit, offset)
        }
        return limit
    }

    // MARK: - Removing

    /// Removes what every position has finished, where events are kept for no other purpose.
    mutating func trimFinished(effects: inout Effects) {
        guard type == .ephemeral else { return }
        if floor.isStale {
            floor.reset()
            for index in subscriptions.indices {
                subscriptions[index].state.count(in: &floor)
            }
        }
        let lowest = floor.positions == 0 ? log.head : floor.lowest
        if log.first < lowest {
            removeEvents(before: lowest, effects: &effects)
        }
    }

    private mutating func removeEvents(before offset: Int64, effects: inout Effects) {
        log.trim(before: offset, effects: &effects)
        ids.trim(before: offset)
        deadLetters.trim(before: offset)
    }

    /// Takes dead letters that arrived for this stream into the log. They are taken even when it is full, unless it
    /// makes room by dropping the oldest.
    mutating func collectDeadLetters(effects: inout Effects) {
        for (record, time) in deadLetters.collect(from: log.head) {
            let offset = log.head
            log.append([record], at: time)
            ids.insert([record], from: offset, isAscending: true)
        }
        dropSurplus(effects: &effects)
    }
}
