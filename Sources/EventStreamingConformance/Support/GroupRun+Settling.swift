import EventStreamingCore
import EventStreamingTesting

/// What members make of their leases.
extension GroupRun {
    /// Settles a random part of a random lease, in random ways.
    mutating func settle() async throws {
        expire()
        guard let held = held.values.sorted(by: { $0.lease.epoch < $1.lease.epoch }).randomElement(using: &random)
        else {
            return
        }
        var settlement = Settlement(of: held.lease.holder, leaseEpoch: held.lease.epoch)
        var completed: Set<Int64> = []
        var rejected: Set<Int64> = []
        for offset in held.offsets.sorted() {
            let isBehind = rejected.contains { log[Int($0)] == log[Int(offset)] }
            let range = StreamOffset(offset)..<StreamOffset(offset + 1)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5 where !isBehind:
                settlement.completed.append(range)
                completed.insert(offset)
            case 5 where !isBehind:
                settlement.rejections.append(Rejection(offsets: range, action: .retry(after: nil), reason: "no"))
                rejected.insert(offset)
            case 6 where !isBehind && offset.isMultiple(of: 3):
                settlement.rejections.append(Rejection(offsets: range, action: .deadLetter, reason: "poison"))
                rejected.insert(offset)
            default: break
            }
        }
        guard !completed.isEmpty || !rejected.isEmpty else { return }
        if !completed.isEmpty, Int.random(in: 0..<4, using: &random) > 0 {
            settlement.processed = try processed(completed, of: held)
        }
        try await harness.store.settle(settlement)
        noteSettled(settlement.processed, completed)
        try finish(completed)
        try await noteGivenUp(try await harness.progress(of: group))
        let behind = held.offsets.filter { offset in
            rejected.contains { $0 < offset && log[Int($0)] == log[Int(offset)] }
        }
        self.held[held.lease.epoch]?.offsets.subtract(completed.union(rejected).union(behind))
        if self.held[held.lease.epoch]?.offsets.isEmpty == true {
            self.held[held.lease.epoch] = nil
        }
    }

    mutating func finish(_ held: Held) async throws {
        let ranges = held.offsets.sorted().map { StreamOffset($0)..<StreamOffset($0 + 1) }
        try await harness.store.settle(
            Settlement(of: held.lease.holder, leaseEpoch: held.lease.epoch, completed: ranges)
        )
        try finish(held.offsets)
        self.held[held.lease.epoch] = nil
    }

    mutating func finish(_ offsets: Set<Int64>) throws {
        // Each event is finished once, until it returns from the dead letters.
        try require(offsets.isSubset(of: open), "\(offsets.subtracting(open)) were finished before")
        open.subtract(offsets)
        redriven.subtract(offsets)
        finished += offsets.count
    }

    mutating func release() async throws {
        expire()
        guard let held = held.values.sorted(by: { $0.lease.epoch < $1.lease.epoch }).randomElement(using: &random)
        else {
            return
        }
        try await harness.store.release(held.lease)
        end(held)
    }
}
