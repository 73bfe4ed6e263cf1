import EventStreamingCore

/// The books of one lease: which of its events were handed out, which are settled, and what the store knows.
///
/// Events are named by their index in the lease. In order, settling is a comparison and an addition; only events that
/// are settled out of order cost a set.
struct LeaseLedger: Sendable {
    let source: LeasedEvents
    /// Events before this index were handed out.
    private(set) var handedOut = 0
    /// Events before this index are settled.
    private(set) var settledPrefix = 0
    /// Settled events after the prefix.
    private var settledBeyond: Set<Int> = []
    /// Settled events that the store was told about one by one.
    private var reportedAlone: Set<Int> = []
    /// Everything before this offset was reported to the store in ranges.
    private var reportedUpTo: StreamOffset
    /// Events that the store is being told about one by one, and has not answered.
    private var settling: Set<Int> = []
    /// Settled events that were taken back because they were in hand for too long.
    private var takenBack: Set<Int> = []
    /// Events that cannot be delivered, and were rejected when the lease came.
    private var undeliverable: Set<Int> = []
    /// Events that were handed out and wait for their turn.
    private var queued: Set<Int> = []
    /// Since when events have been in hand, as noticed by ``expire(olderThan:now:)``.
    private var inHandSince: [Int: Duration] = [:]
    /// In a consumer group, what is handed out when; `nil` elsewhere, where it is handed out in order.
    private var lanes: KeyLanes?

    /// - Parameter isOrderedByKey: Whether events of one key must not be in hand together.
    init(_ source: LeasedEvents, processed: [Int] = [], rejected: [Int], isOrderedByKey: Bool = false) {
        self.source = source
        lanes = isOrderedByKey && source.lease.needsSettlement ? KeyLanes(source.lease.events) : nil
        let lease = source.lease
        reportedUpTo = lease.offsets.lowerBound
        if !lease.needsSettlement {
            settledPrefix = lease.events.count
        }
        for index in processed + rejected {
            undeliverable.insert(index)
            lanes?.remove(index)
            settleAlone(index)
        }
        for index in rejected {
            takeBack(behind: index)
        }
        skipUndeliverable()
    }

    var lease: Lease { source.lease }
    var hasMore: Bool { lanes.map { !$0.waiting.isEmpty } ?? (handedOut < source.lease.events.count) }
    var isComplete: Bool { settledPrefix == source.lease.events.count && !hasMore }

    // MARK: - Handing out

    /// Hands out up to `limit` events that lie next to each other; none where each must wait for another of its key.
    mutating func handOut(_ limit: Int) -> Range<Int> {
        if lanes != nil {
            let taken = lanes?.take(limit) ?? 0..<0
            handedOut = max(handedOut, taken.upperBound)
            return taken
        }
        let begin = handedOut
        let end = begin + min(limit, source.lease.events.count - begin)
        if undeliverable.isEmpty {
            handedOut = end
            return begin..<end
        }
        handedOut = (begin..<end).first { undeliverable.contains($0) } ?? end
        let taken = begin..<handedOut
        skipUndeliverable()
        return taken
    }

    private mutating func skipUndeliverable() {
        while !undeliverable.isEmpty, undeliverable.contains(handedOut) {
            handedOut += 1
        }
    }

    /// Notes that events were handed out that wait for their turn.
    mutating func queue(_ indices: Range<Int>) {
        queued.formUnion(indices)
    }

    /// Notes that it is an event's turn.
    mutating func unqueue(_ index: Int) {
        queued.remove(index)
    }

    // MARK: - Settling

    /// Lets go of the events of the same key after one that was rejected: the store takes them back, too, and delivers them
    /// after it.
    mutating func takeBack(behind index: Int) {
        guard lease.needsSettlement, let behind = lanes?.behind(index) else { return }
        for index in behind where !isSettled(index) {
            lanes?.remove(index)
            takenBack.insert(index)
            settleAlone(index)
        }
    }

    /// Whether an event is settled, or the store is being told so.
    func isSettled(_ index: Int) -> Bool {
        index < settledPrefix || settledBeyond.contains(index) || settling.contains(index)
    }

    /// Whether an event was taken back, and is delivered again by another lease.
    func isTakenBack(_ index: Int) -> Bool { takenBack.contains(index) }

    /// Marks events as settled; leaves those as they are that are already, or that the store is being told about.
    mutating func settle(_ indices: Range<Int>) {
        if lanes != nil {
            for index in indices where !isSettled(index) {
                lanes?.finish(index)
            }
        }
        guard settling.isEmpty || settling.isDisjoint(with: indices) else {
            for index in indices where !settling.contains(index) {
                settle(index..<index + 1)
            }
            return
        }
        if indices.lowerBound <= settledPrefix {
            settledPrefix = max(settledPrefix, indices.upperBound)
        } else {
            for index in indices {
                settledBeyond.insert(index)
            }
        }
        while !settledBeyond.isEmpty, settledBeyond.remove(settledPrefix) != nil {
            settledPrefix += 1
        }
    }

    /// Notes that the store is being told about one event; nobody else can settle it until it has answered.
    mutating func beginSettling(_ index: Int) {
        settling.insert(index)
    }

    /// Marks an event as settled when the store has taken it; otherwise it is as open as before.
    mutating func endSettling(_ index: Int, isSettled: Bool) {
        guard settling.remove(index) != nil, isSettled else { return }
        settleAlone(index)
    }

    /// Marks an event as settled that the store is told about by itself.
    mutating func settleAlone(_ index: Int) {
        reportedAlone.insert(index)
        settle(index..<index + 1)
    }

    // MARK: - Reporting

    /// Whether the store is being told about one event by itself.
    func isBeingSettled(_ index: Int) -> Bool { settling.contains(index) }

    /// Whether the store was told about an event, or is being told.
    func isReported(_ index: Int) -> Bool {
        isReportedAlone(index) || lease.events[index].offset < reportedUpTo
    }

    /// Whether the store was told about an event by itself.
    func isReportedAlone(_ index: Int) -> Bool { reportedAlone.contains(index) }

    /// Begins to tell the store about an event by itself, settled or not.
    mutating func beginReportingAlone(_ index: Int) {
        if isSettled(index) {
            reportedAlone.insert(index)
        } else {
            beginSettling(index)
        }
    }

    /// What the store must still be told: the whole rest when the lease is complete, otherwise the settled prefix.
    /// Counts as told from now on.
    mutating func takeUnreported() -> [Range<StreamOffset>] {
        guard lease.needsSettlement, reportedAlone.count < lease.events.count else { return [] }
        let end: StreamOffset
        if isComplete {
            end = lease.offsets.upperBound
        } else if settledPrefix > 0 {
            end = lease.events[settledPrefix - 1].offset.advanced(by: 1)
        } else {
            return []
        }
        guard reportedUpTo < end else { return [] }
        let begin = reportedUpTo
        reportedUpTo = end
        return ranges(from: begin, to: end)
    }

    /// Everything settled that the store was not told, for the end of the lease.
    mutating func takeRemaining() -> [Range<StreamOffset>] {
        var remaining = takeUnreported()
        for index in settledBeyond.subtracting(reportedAlone).sorted() {
            let offset = lease.events[index].offset
            remaining.append(offset..<offset.advanced(by: 1))
        }
        return remaining
    }

    /// The events in hand: handed out and not settled.
    var inHand: [Int] {
        guard settledPrefix < handedOut else { return [] }
        let unsettled = (settledPrefix..<handedOut).filter { !isSettled($0) }
        guard let waiting = lanes?.waiting, !waiting.isEmpty else { return unsettled }
        let notHandedOut = Set(waiting)
        return unsettled.filter { !notHandedOut.contains($0) }
    }

    /// Notes how long each event has been in hand, and takes back those that have been for too long: they count as
    /// settled alone.
    mutating func expire(olderThan age: Duration, now: Duration) -> [Int] {
        guard lease.needsSettlement else { return [] }
        var noted: [Int: Duration] = [:]
        var expired: [Int] = []
        for index in inHand where !queued.contains(index) {
            let since = inHandSince[index] ?? now
            if now - since >= age {
                expired.append(index)
            } else {
                noted[index] = since
            }
        }
        inHandSince = noted
        for index in expired {
            takenBack.insert(index)
            settleAlone(index)
        }
        for index in expired {
            takeBack(behind: index)
        }
        return expired
    }

    /// The offsets from `begin` to `end`, without those reported alone.
    private func ranges(from begin: StreamOffset, to end: StreamOffset) -> [Range<StreamOffset>] {
        guard !reportedAlone.isEmpty else { return [begin..<end] }
        var ranges: [Range<StreamOffset>] = []
        var next = begin
        for index in reportedAlone.sorted() {
            let offset = lease.events[index].offset
            guard offset >= next, offset < end else { continue }
            if next < offset {
                ranges.append(next..<offset)
            }
            next = offset.advanced(by: 1)
        }
        if next < end {
            ranges.append(next..<end)
        }
        return ranges
    }
}
