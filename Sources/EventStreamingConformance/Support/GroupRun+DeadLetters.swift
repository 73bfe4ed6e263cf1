import EventStreamingCore
import EventStreamingTesting

/// What becomes of the events that a group gave up.
extension GroupRun {
    /// Redrives or discards a random dead letter.
    mutating func closeDeadLetter() async throws {
        expire()
        try await noteGivenUp(try await harness.progress(of: group))
        guard let letter = try await harness.deadLetters(of: group).randomElement(using: &random) else { return }
        let offset = letter.event.offset.rawValue
        let numbers = letter.number..<letter.number.advanced(by: 1)
        letters.remove(offset)
        guard Int.random(in: 0..<4, using: &random) > 0 else {
            let note = AuditNote(by: "simulation", because: "seen")
            let closed = try await harness.store.discard([numbers], of: group.id, by: note)
            try requireEqual(closed, [letter.number], "discarded")
            discarded += 1
            return
        }
        let count = try await harness.store.redrive(numbers, of: group.id)
        try requireEqual(count, 1, "redriven")
        open.insert(offset)
        marked.remove(offset)
        redriven.insert(offset)
    }

    /// No event comes before an earlier dead letter of its key, where the group keeps the order.
    mutating func checkParked(_ lease: Lease) async throws {
        guard group.keepsOrder else { return }
        try await noteGivenUp(try await harness.progress(of: group))
        for event in lease.events {
            let offset = event.offset.rawValue
            let parked = letters.first { $0 < offset && log[Int($0)] == log[Int(offset)] }
            try require(
                parked == nil, "event \(offset) was handed out before the dead letter \(parked ?? -1) of its key")
        }
    }

    /// Looks which events were given up since the last time.
    mutating func noteGivenUp(_ progress: SubscriptionProgress) async throws {
        guard progress.deadLetters != letters.count else { return }
        let now = Set(try await harness.deadLetters(of: group).map(\.event.offset.rawValue))
        let new = now.subtracting(letters)
        try require(letters.isSubset(of: now), "dead letters are gone: \(letters.subtracting(now))")
        try require(new.isSubset(of: open), "\(new.subtracting(open)) were given up though they are finished")
        letters = now
        open.subtract(new)
        redriven.subtract(new)
    }
}
