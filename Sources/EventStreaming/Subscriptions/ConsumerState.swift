import EventStreamingCore

/// Names events of one lease: what a delivery or a batch stands for.
struct DeliveryKey: Sendable, Hashable {
    let lease: UInt64
    let indices: Range<Int>
}

/// What a consumer holds, as a value: every method is one step, and tells what is to be done outside the lock.
struct ConsumerState: Sendable {
    enum Phase: Sendable {
        case open
        /// Hands out nothing more; what is in hand may still be finished.
        case ending
        /// Given up by its loop or shut down; what it holds is being released.
        case closed
        /// Ended by an error that everybody who still asks is told.
        case failed(EventStreamingError)
    }

    /// What to do next.
    enum Step: Sendable {
        case deliver(Handout)
        /// Nothing is at hand; the caller is to fetch.
        case fetch(limit: Int)
        /// Another task of this consumer is fetching.
        case wait
        case end(EventStreamingError?)

        var isFetch: Bool {
            if case .fetch = self { true } else { false }
        }
    }

    private(set) var phase = Phase.open
    private(set) var isFetching = false
    private(set) var registration: ConsumerRegistration?
    var ledgers: [LeaseLedger] = []
    /// Who marks what is completed as processed, where the settlement does that.
    let processor: ProcessorID?
    /// What was processed, and could not be marked with its settlement.
    var lostMarks: [ProcessedEvents] = []
    /// What the store could not be told, to be told again.
    private var unrecorded: [Settlement] = []
    /// What the store is told together with the next question for events. By itself, so that it costs no allocation.
    private var finished: Settlement?
    /// How many events were missed, as the newest lease told.
    private(set) var missed = 0
    private let prefetch: Int
    /// Whether events of one partition key must not be in hand together.
    private let isOrderedByKey: Bool
    /// How many settlements of each lease the store has not answered yet; `nil` where nobody asks.
    var unanswered: [UInt64: Int]?
    private var sizer: LeaseSizer

    init(
        prefetch: Int,
        processor: ProcessorID? = nil,
        isOrderedByKey: Bool = false,
        keepsReceipts: Bool = false
    ) {
        self.prefetch = prefetch
        self.isOrderedByKey = isOrderedByKey
        unanswered = keepsReceipts ? [:] : nil
        self.processor = processor
        sizer = LeaseSizer(maximum: prefetch)
    }

    /// Whether the consumer holds its events: it was neither closed nor has it failed.
    var isOpen: Bool {
        switch phase {
        case .open, .ending: true
        case .closed, .failed: false
        }
    }

    /// How many events were handed out and are not settled.
    private var inHandCount: Int { ledgers.reduce(0) { $0 + $1.inHand.count } }

    /// How many tasks are telling the store what is settled.
    private var reports = 0

    /// Whether events were handed out that are not settled, whose settlement the store has not recorded yet, or that are
    /// being fetched. Closing the consumer now would count as a failure of theirs.
    var isAtWork: Bool { isFetching || reports > 0 || ledgers.contains { !$0.inHand.isEmpty } }

    mutating func beginReport() {
        reports += 1
    }

    mutating func endReport() {
        reports -= 1
    }

    /// Takes note of what a lease tells was missed so far.
    ///
    /// - Returns: How many more than were known.
    mutating func note(missed count: Int) -> Int {
        let new = max(0, count - missed)
        missed += new
        return new
    }

    // MARK: - Taking

    /// Hands out up to `limit` events, or says how to get some.
    mutating func next(_ limit: Int) -> Step {
        switch phase {
        case .closed, .ending: return .end(nil)
        case .failed(let error): return .end(error)
        case .open: break
        }
        for position in ledgers.indices where ledgers[position].hasMore {
            let indices = ledgers[position].handOut(limit)
            guard !indices.isEmpty else { continue }
            let source = ledgers[position].source
            if !source.lease.needsSettlement, !ledgers[position].hasMore {
                ledgers.remove(at: position)
            }
            return .deliver(Handout(source: source, indices: indices))
        }
        guard !isFetching else { return .wait }
        isFetching = true
        return .fetch(limit: max(1, min(sizer.size, prefetch - inHandCount)))
    }

    /// Takes in a lease that was fetched. Returns `false` when the consumer was closed meanwhile, so that the lease must
    /// be released.
    ///
    /// - Parameters:
    ///   - processed: The events that are passed over because they were processed before.
    ///   - rejected: The events that are rejected because they cannot be decoded.
    mutating func fetched(_ lease: LeasedEvents, processed: [Int], rejected: [Int], at now: Duration) -> Bool {
        guard isOpen else { return false }
        ledgers.append(LeaseLedger(lease, processed: processed, rejected: rejected, isOrderedByKey: isOrderedByKey))
        sizer.begin(at: now)
        return true
    }

    /// Ends a fetch, whatever it brought.
    mutating func fetchEnded() {
        isFetching = false
    }

    /// Notes the registration; `false` when the consumer was closed meanwhile, so that it must be ended.
    mutating func registered(_ registration: ConsumerRegistration) -> Bool {
        guard isOpen else { return false }
        self.registration = registration
        return true
    }

    /// Forgets a registration that has ended, and its leases, which have ended with it.
    mutating func unregistered(_ ended: ConsumerRegistration) {
        guard registration == ended else { return }
        registration = nil
        keepMarks(of: unrecorded + [finished].compactMap { $0 })
        ledgers.removeAll()
        unrecorded.removeAll()
        finished = nil
        unanswered?.removeAll()
    }

    // MARK: - Settling

    /// Marks what a loop or a handler is done with; returns what to tell the store when that ends the lease.
    mutating func complete(_ key: DeliveryKey, at now: () -> Duration) -> Settlement? {
        guard let position = position(of: key.lease) else { return nil }
        ledgers[position].settle(key.indices)
        return finish(position, at: now)
    }

    /// Marks what a batch stands for as done and returns what to tell the store now, whether that ends the lease or not.
    mutating func completeNow(
        _ key: DeliveryKey,
        at now: () -> Duration
    ) throws(EventStreamingError) -> [Settlement] {
        if case .failed(let error) = phase { throw error }
        guard let registration, let position = position(of: key.lease) else { throw Self.notHeld }
        ledgers[position].settle(key.indices)
        if ledgers[position].isComplete {
            return finish(position, at: now).map { [$0] } ?? []
        }
        let completed = ledgers[position].takeUnreported()
        guard !completed.isEmpty else { return [] }
        return [settlement(of: registration, ledgers[position].lease, completed: completed)]
    }

    static var notHeld: EventStreamingError {
        EventStreamingError(
            .leaseExpired,
            "This delivery is not held any more: it was settled with its batch, released or taken back. The event is "
                + "delivered again if it was not finished."
        )
    }

    /// Begins to settle one event by itself; throws when it cannot be settled any more.
    mutating func beginSettling(_ key: DeliveryKey) throws(EventStreamingError) -> ConsumerRegistration {
        if case .failed(let error) = phase { throw error }
        guard let registration, let position = position(of: key.lease) else { throw Self.notHeld }
        let index = key.indices.lowerBound
        guard !ledgers[position].isTakenBack(index) else { throw Self.notHeld }
        guard !ledgers[position].isSettled(index) else {
            throw EventStreamingError(.alreadySettled, "This delivery was acknowledged or rejected before.")
        }
        ledgers[position].beginSettling(index)
        return registration
    }

    /// After the store has answered, or will be asked again; returns what to tell it when that ends the lease.
    ///
    /// - Parameter isRejected: Whether it was rejected, so that what is behind it of its key comes after it.
    mutating func endSettling(
        _ key: DeliveryKey,
        isSettled: Bool,
        isRejected: Bool = false,
        at now: () -> Duration
    ) -> Settlement? {
        guard let position = position(of: key.lease) else { return nil }
        ledgers[position].endSettling(key.indices.lowerBound, isSettled: isSettled)
        if isSettled, isRejected {
            ledgers[position].takeBack(behind: key.indices.lowerBound)
        }
        return finish(position, at: now)
    }

    /// Whether a delivery was settled already, or is not held any more.
    func isSettled(_ key: DeliveryKey) -> Bool {
        position(of: key.lease).map { ledgers[$0].isSettled(key.indices.lowerBound) } ?? true
    }

    /// What tells the store, and marks where that is to be done, that offsets are finished.
    mutating func settlement(
        of registration: ConsumerRegistration,
        _ lease: Lease,
        completed: [Range<StreamOffset>]
    ) -> Settlement {
        beginTelling(lease.epoch)
        var settlement = Settlement(of: registration, leaseEpoch: lease.epoch, completed: completed)
        settlement.processed = processed(completed, of: lease.events)
        return settlement
    }

    mutating func finish(_ position: Int, at now: () -> Duration) -> Settlement? {
        guard ledgers[position].isComplete, let registration else { return nil }
        var ledger = ledgers.remove(at: position)
        sizer.end(count: ledger.lease.events.count, at: now())
        let completed = ledger.takeUnreported()
        guard !completed.isEmpty else { return nil }
        return settlement(of: registration, ledger.lease, completed: completed)
    }

    func position(of lease: UInt64) -> Int? {
        ledgers.firstIndex { $0.source.lease.epoch == lease }
    }

    /// Forgets a lease that the store has ended.
    mutating func forget(_ lease: UInt64) {
        ledgers.removeAll { $0.lease.epoch == lease }
        unanswered?[lease] = nil
    }

    // MARK: - Recording

    /// Keeps what the store could not be told because it was not available. What belongs to a registration that has ended
    /// meanwhile is of no use any more.
    mutating func keep(_ settlement: Settlement) {
        keep(CollectionOfOne(settlement))
    }

    /// Keeps settlements that the store was not told because one before them failed.
    mutating func keep(_ settlements: some Sequence<Settlement>) {
        guard isOpen else { return }
        for settlement in settlements where settlement.holder != registration {
            endTelling(settlement.leaseEpoch)
        }
        keepMarks(of: settlements.lazy.filter { [registration] in $0.holder != registration })
        unrecorded += settlements.lazy.filter { [registration] in $0.holder == registration }
    }

    /// What the store must be told again.
    mutating func takeUnrecorded() -> [Settlement] {
        if let settlement = takeFinished() {
            unrecorded.append(settlement)
        }
        guard !unrecorded.isEmpty else { return [] }
        defer { unrecorded.removeAll() }
        return unrecorded
    }

    /// Keeps what the store is told together with the next question for events.
    mutating func keepForQuestion(_ settlement: Settlement) {
        guard finished == nil else { return keep(settlement) }
        guard isOpen, settlement.holder == registration else { return keepMarks(of: [settlement]) }
        finished = settlement
    }

    /// What the store is told with this question.
    mutating func takeFinished() -> Settlement? {
        defer { finished = nil }
        return finished
    }

    // MARK: - Keeping alive

    /// The leases with something unfinished, or of which the store does not know yet that it is finished.
    var leases: Set<UInt64> {
        var epochs = Set(unrecorded.lazy.map(\.leaseEpoch))
        if let finished {
            epochs.insert(finished.leaseEpoch)
        }
        epochs.formUnion(ledgers.lazy.map(\.lease).filter(\.needsSettlement).map(\.epoch))
        return epochs
    }

    /// What to tell the store at a heartbeat: prefixes that were finished, and events that have been in hand too long.
    mutating func heartbeat(visibilityTimeout: Duration, now: Duration) -> [Settlement] {
        guard let registration, isOpen else { return [] }
        var settlements = takeUnrecorded()
        for position in ledgers.indices {
            let expired = ledgers[position].expire(olderThan: visibilityTimeout, now: now)
            let lease = ledgers[position].lease
            let completed = ledgers[position].takeUnreported()
            guard !completed.isEmpty || !expired.isEmpty else { continue }
            let rejections = expired.map { index in
                rejection(of: lease.events[index], "not acknowledged within \(visibilityTimeout)")
            }
            var settlement = settlement(of: registration, lease, completed: completed)
            settlement.rejections = rejections
            settlements.append(settlement)
        }
        ledgers.removeAll { $0.isComplete }
        return settlements
    }

    // MARK: - Ending

    /// Hands out nothing more.
    mutating func end() {
        if case .open = phase {
            phase = .ending
        }
    }

    /// Ends the consumer, once. Returns what gives everything back that it holds: what is finished as finished, what is
    /// in hand as one more attempt when `countsAttempt`, the rest untouched.
    mutating func close(countsAttempt: Bool) -> (registration: ConsumerRegistration?, settlements: [Settlement])? {
        guard isOpen else { return nil }
        phase = .closed
        return (registration, release(countsAttempt: countsAttempt))
    }

    /// Ends the consumer with an error.
    mutating func fail(_ error: EventStreamingError) {
        guard isOpen else { return }
        phase = .failed(error)
        ledgers.removeAll()
    }

    private mutating func release(countsAttempt: Bool) -> [Settlement] {
        guard let registration else { return [] }
        var settlements = takeUnrecorded()
        for position in ledgers.indices where ledgers[position].lease.needsSettlement {
            let lease = ledgers[position].lease
            let inHand = countsAttempt ? ledgers[position].inHand : []
            let completed = ledgers[position].takeRemaining()
            var settlement = settlement(of: registration, lease, completed: completed)
            settlement.rejections = inHand.map {
                rejection(of: lease.events[$0], "the consumer left before it was done")
            }
            settlement.releasesRest = true
            settlements.append(settlement)
        }
        ledgers.removeAll()
        return settlements
    }

    private func rejection(of event: StoredEvent, _ reason: String) -> Rejection {
        Rejection(
            offsets: event.offset..<event.offset.advanced(by: 1),
            action: .retry(after: .zero),
            reason: reason
        )
    }
}
