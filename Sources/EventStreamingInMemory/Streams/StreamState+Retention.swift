import EventStreamingCore
import EventStreamingStoreKit

extension StreamState {
    /// Removes the events before `offset`; positions behind move up to it.
    ///
    /// - Returns: The offsets that some position had not finished.
    @discardableResult
    mutating func trim(before offset: Int64, effects: inout Effects) -> OffsetRanges {
        var unfinished = OffsetRanges()
        for index in subscriptions.indices {
            unfinished.formUnion(subscriptions[index].state.lap(before: offset, floor: &floor))
        }
        removeEvents(before: offset, effects: &effects)
        return unfinished
    }

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
