import EventStreamingCore

extension ConsumerState {
    /// Notes that events were handed out that wait for their turn: they are not taken back for being in hand too long.
    mutating func queue(_ key: DeliveryKey) {
        guard let position = position(of: key.lease) else { return }
        ledgers[position].queue(key.indices)
    }

    /// Notes that it is an event's turn.
    ///
    /// - Returns: Whether it is still held and unsettled.
    mutating func begin(_ key: DeliveryKey) -> Bool {
        guard let position = position(of: key.lease) else { return false }
        let index = key.indices.lowerBound
        ledgers[position].unqueue(index)
        return !ledgers[position].isSettled(index)
    }

    /// Begins to settle events together: those that are still open.
    ///
    /// - Returns: `nil` when none are.
    mutating func beginSettling(_ indices: some Sequence<Int>, of source: LeasedEvents) -> SettlingBatch? {
        guard let registration, let position = position(of: source.lease.epoch) else { return nil }
        let open = indices.filter { !ledgers[position].isSettled($0) }
        guard !open.isEmpty else { return nil }
        for index in open {
            ledgers[position].beginSettling(index)
        }
        return SettlingBatch(source: source, indices: open, registration: registration)
    }

    /// After the store has answered; returns what to tell it when that ends the lease.
    mutating func endSettling(_ batch: SettlingBatch, isSettled: Bool, at now: () -> Duration) -> Settlement? {
        guard let position = position(of: batch.lease) else { return nil }
        for index in batch.indices {
            ledgers[position].endSettling(index, isSettled: isSettled)
        }
        let rest = finish(position, at: now)
        // All of the lease was told at once.
        return batch.indices.count == batch.source.lease.events.count ? nil : rest
    }

    // MARK: - Marks

    /// Those of the events that a settlement completes, where they are to be marked.
    func processed(_ completed: [Range<StreamOffset>], of events: [StoredEvent]) -> ProcessedEvents? {
        guard let processor, !completed.isEmpty else { return nil }
        let ids = events.lazy.filter { event in completed.contains { $0.contains(event.offset) } }.map(\.id)
        let marked = Array(ids)
        return marked.isEmpty ? nil : ProcessedEvents(marked, by: processor)
    }

    /// Keeps the marks of settlements that nobody will take any more.
    mutating func keepMarks(of settlements: some Sequence<Settlement>) {
        lostMarks += settlements.compactMap(\.processed)
    }

    /// What was processed, and could not be marked with its settlement.
    mutating func takeLostMarks() -> [ProcessedEvents] {
        guard !lostMarks.isEmpty else { return [] }
        defer { lostMarks.removeAll() }
        return lostMarks
    }
}
