import EventStreamingCore
import EventStreamingTesting

/// Marks and locks in the histories of groups.
extension GroupRun {
    /// What a settlement marks: what it completes; perhaps with a lock that is given back.
    mutating func processed(_ completed: Set<Int64>, of held: Held) throws -> ProcessedEvents {
        let events = completed.sorted().map { ids[Int($0)] }
        let range = held.lease.offsets.lowerBound.rawValue..<held.lease.offsets.upperBound.rawValue
        let lock = locks.first { range.overlaps($0.offsets) }?.lock
        return ProcessedEvents(events, by: processor, releasing: lock)
    }

    mutating func noteSettled(_ processed: ProcessedEvents?, _ completed: Set<Int64>) {
        guard let processed else { return }
        marked.formUnion(completed)
        locks.removeAll { $0.lock == processed.lock }
    }

    /// Takes the lock of what somebody has in hand, unless another one has it.
    mutating func claim() async throws {
        expire()
        guard let held = held.values.sorted(by: { $0.lease.epoch < $1.lease.epoch }).randomElement(using: &random),
            let first = held.offsets.min(), let last = held.offsets.max()
        else { return }
        let offsets = first..<last + 1
        let duration = Duration.seconds(Int.random(in: 1...20, using: &random))
        let events = held.offsets.sorted().map { ids[Int($0)] }
        let key = IdempotencyKey(processing: StreamOffset(first)..<StreamOffset(last + 1), by: processor)
        let claim = try await harness.store.claim(events, by: processor, locking: key, for: duration)
        let isTaken = locks.contains { $0.offsets.overlaps(offsets) }
        try requireEqual(claim == nil, isTaken, "whether somebody else has the lock of \(offsets)")
        guard let claim else { return }
        let known = held.offsets.intersection(marked)
        try requireEqual(claim.processed, Set(known.map { ids[Int($0)] }), "what was processed of \(offsets)")
        locks.append((claim.lock, offsets, harness.clock.uptime + duration))
    }

    func compareMarks() async throws {
        let marks = try await harness.store.wasProcessed(ids, by: processor)
        try requireEqual(marks, Set(marked.map { ids[Int($0)] }), "marks")
    }
}
