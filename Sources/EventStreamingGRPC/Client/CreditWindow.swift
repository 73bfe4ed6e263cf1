import EventStreamingCore

/// Keeps the books of what the server may send: what was allowed and not used, and what is here and not taken.
struct CreditWindow: Sendable {
    /// So many events, and so many bytes of them.
    struct Credit: Sendable, Hashable {
        var events: Int64
        var bytes: Int64
    }

    private let bytes: Int64
    /// What the server may still send.
    private(set) var left = Credit(events: 0, bytes: 0)
    /// What is here and was not taken.
    private(set) var held = Credit(events: 0, bytes: 0)

    init(bytes: Int) {
        self.bytes = Int64(bytes)
    }

    /// Notes that events came.
    ///
    /// - Returns: `false` when they are more than were allowed. Bytes may be overdrawn by one batch.
    mutating func receive(_ events: Credit) -> Bool {
        left.events -= events.events
        left.bytes -= events.bytes
        held.events += events.events
        held.bytes += events.bytes
        return left.events >= 0
    }

    /// Notes that a lease with these events was taken.
    mutating func taken(_ events: Credit) {
        held.events -= events.events
        held.bytes -= events.bytes
    }

    /// Allows more, so that `events` are here or on their way; `nil` where enough is allowed.
    mutating func topUp(to events: Int, atMost maximum: Credit) -> WireCredit? {
        let wanted = min(Int64(events), maximum.events)
        let more = wanted - left.events - held.events
        // Half of the most at once: each credit must be of some bytes, also where the events have had none.
        let room = min(bytes, max(1, maximum.bytes / 2)) - held.bytes
        // Not in small change: while there is something to use up, less than half is not worth a frame.
        let needsEvents = more > 0 && (left.events == 0 || more >= wanted / 2)
        let needsBytes = left.bytes <= 0 && room > 0
        // Events without bytes would be of no use. While there is no room, something is here to be taken.
        guard room > 0, needsEvents || needsBytes else { return nil }
        var credit = WireCredit()
        // Each must be something, and neither may pass the most that is allowed.
        credit.events = min(max(1, more), maximum.events - max(0, left.events))
        credit.bytes = min(max(1, room - left.bytes), maximum.bytes - left.bytes)
        guard credit.events > 0, credit.bytes > 0 else { return nil }
        left.events += credit.events
        left.bytes += credit.bytes
        return credit
    }
}
