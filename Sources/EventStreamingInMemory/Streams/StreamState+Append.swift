import EventStreamingCore
import EventStreamingStoreKit

/// The outcome of an append.
enum Appended: Sendable {
    case stored(AppendResult)
    /// All ids are known. Whether the contents are the same has to be found out, outside the lock.
    case known(AppendResult, [StoredEvent])
}

extension StreamState {
    mutating func append(
        _ append: CheckedAppend,
        at time: Timestamp,
        effects: inout Effects
    ) throws(EventStreamingError) -> Appended {
        if let known = try knownOffsets(of: append) {
            let result = AppendResult(offsets: offsets(known), isDuplicate: true)
            return .known(result, log.events(in: known))
        }
        try append.checkExpectation(of: name, head: log.head)
        let first = log.head
        let count = append.events.count
        if type == .ephemeral, floor.positions == 0 {
            log.skip(count, at: time)
            dropped += count
            return .stored(AppendResult(offsets: offsets(first..<log.head)))
        }
        try append.checkRoom(in: name, capacity: overflow == .reject ? capacity : nil, count: log.count)
        log.append(append.events, at: time)
        ids.insert(append.events, from: first, isAscending: append.isAscending)
        dropSurplus(effects: &effects)
        effects.hasNews = true
        return .stored(AppendResult(offsets: offsets(first..<log.head)))
    }

    private func offsets(_ range: Range<Int64>) -> Range<StreamOffset> {
        StreamOffset(range.lowerBound)..<StreamOffset(range.upperBound)
    }

    private func knownOffsets(of append: CheckedAppend) throws(EventStreamingError) -> Range<Int64>? {
        if append.isAscending, ids.isBeyondAll(append.events[0].id) {
            return nil
        }
        return try append.knownOffsets(in: name) { ids.offset(of: $0) }
    }

    // MARK: - Capacity

    /// Drops the oldest events until the stream holds no more than it may.
    mutating func dropSurplus(effects: inout Effects) {
        guard let capacity, overflow == .dropOldest, log.count > capacity else { return }
        let limit = log.head - Int64(capacity)
        let first = log.first
        if floor.positions == 0 {
            // A log that nobody subscribed to: nobody has seen any of them.
            dropped += Int(limit - first)
        }
        dropped += trim(before: limit, effects: &effects).intersection(first..<limit).count
        trimFinished(effects: &effects)
    }
}
