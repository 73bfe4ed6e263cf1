import DequeModule
import EventStreaming
import EventStreamingCore

/// One registration of a consumer over one call, as a value: every method is one step, and tells what is to be done outside
/// the lock.
struct ConsumerSessionState: Sendable {
    enum Phase: Sendable {
        case opening
        case open
        /// Everything is said, and the server is to end the call.
        case closing
        case closed(EventStreamingError)
    }

    /// What the server has said about the registration.
    struct Opened: Sendable {
        var registration: ConsumerRegistration
        var terms: ConsumerTerms
        var heartbeatInterval: Duration
        var maximumCredit: CreditWindow.Credit
    }

    /// Who waits for an answer.
    enum Waiter: Sendable {
        case call(CheckedContinuation<Result<Int, EventStreamingError>, Never>, failsWith: EventStreamingError.Code)
        /// Nobody; it went along with a question for events.
        case nobody(Settlement)
    }

    private struct Unanswered: Sendable {
        var waiter: Waiter
        var sentAt: Duration
    }

    private(set) var phase = Phase.opening
    private(set) var opened: Opened?
    private var outbox: [WireSubscribeRequest] = []
    private var isOutboxClosed = false
    /// Leases that are here and were not taken, with what they cost of the credit.
    private var buffered: Deque<(lease: Lease, cost: CreditWindow.Credit)> = []
    private var partial: (lease: Lease, cost: CreditWindow.Credit)?
    private var window: CreditWindow
    private var unanswered: [UInt64: Unanswered] = [:]
    private var sequence: UInt64 = 0
    /// What the server could not record, to be told again.
    private var repeated: [Settlement] = []
    private var lastHeard: Duration
    private var lastSent: Duration
    /// When the present phase must have ended, in those that must.
    private var deadline: Duration?
    /// Why the server ends the call, once it has said so.
    private(set) var closingReason: EventStreamingError?

    init(open: WireOpen, prefetchBytes: Int, now: Duration, deadline: Duration) {
        window = CreditWindow(bytes: prefetchBytes)
        lastHeard = now
        lastSent = now
        self.deadline = deadline
        push { $0.open = open }
    }

    var isClosed: Bool {
        if case .closed = phase { true } else { false }
    }

    /// How many answers are owed.
    var unansweredCount: Int { unanswered.count + repeated.count }

    // MARK: - Sending

    private mutating func push(_ fill: (inout WireSubscribeRequest) -> Void) {
        guard !isOutboxClosed else { return }
        var frame = WireSubscribeRequest()
        fill(&frame)
        outbox.append(frame)
    }

    /// What is to be sent, and whether nothing comes after it.
    mutating func takeOutbox(now: Duration) -> (frames: [WireSubscribeRequest], isEnd: Bool) {
        defer { outbox.removeAll(keepingCapacity: true) }
        if !outbox.isEmpty {
            lastSent = now
        }
        return (outbox, isOutboxClosed)
    }

    private mutating func push(_ settlement: Settlement, _ waiter: Waiter, now: Duration) {
        sequence += 1
        unanswered[sequence] = Unanswered(waiter: waiter, sentAt: now)
        push { [sequence] in $0.settle = WireSettle(settlement, sequence: sequence) }
    }

    /// Whether there is something that the server could not record.
    var hasToRepeat: Bool { !repeated.isEmpty }

    /// Tells the server again what it could not record.
    ///
    /// - Returns: Whether there was something.
    @discardableResult
    mutating func pushRepeated(now: Duration) -> Bool {
        guard case .open = phase, hasToRepeat else { return false }
        let settlements = repeated
        repeated.removeAll()
        for settlement in settlements {
            push(settlement, .nobody(settlement), now: now)
        }
        return true
    }

    // MARK: - Asking

    private func check() throws(EventStreamingError) {
        switch phase {
        case .open: return
        case .closed(let error): throw error
        case .opening, .closing: throw EventStreamingError(.unknownConsumer, "The consumer has been closed.")
        }
    }

    /// The next lease, if there is one, after a settlement was sent along; asks for as many events as are wanted.
    mutating func dequeue(
        limit: Int,
        settling settlement: Settlement?,
        now: Duration
    ) throws(EventStreamingError) -> Lease? {
        try check()
        pushRepeated(now: now)
        if let settlement {
            push(settlement, .nobody(settlement), now: now)
        }
        let next = buffered.popFirst()
        if let next {
            window.taken(next.cost)
        }
        if let maximum = opened?.maximumCredit, let credit = window.topUp(to: limit, atMost: maximum) {
            push { $0.credit = credit }
        }
        return next?.lease
    }

    mutating func settle(
        _ settlement: Settlement,
        _ continuation: CheckedContinuation<Result<Int, EventStreamingError>, Never>,
        now: Duration
    ) throws(EventStreamingError) {
        try check()
        push(settlement, .call(continuation, failsWith: .leaseExpired), now: now)
    }

    mutating func markRead(
        _ selection: ReceiptSelection,
        _ continuation: CheckedContinuation<Result<Int, EventStreamingError>, Never>,
        now: Duration
    ) throws(EventStreamingError) {
        try check()
        sequence += 1
        unanswered[sequence] = Unanswered(waiter: .call(continuation, failsWith: .storeUnavailable), sentAt: now)
        push { [sequence] in $0.markRead = WireMarkRead(selection, sequence: sequence) }
    }

    mutating func heartbeat(extending leases: LeaseExtension, now: Duration) throws(EventStreamingError) {
        try check()
        pushRepeated(now: now)
        var epochs: Set<UInt64>
        switch leases {
        case .none: epochs = []
        case .only(let named): epochs = named
        case .all: epochs = []
        }
        epochs.formUnion(buffered.lazy.map(\.lease.epoch))
        if let partial {
            epochs.insert(partial.lease.epoch)
        }
        for case .nobody(let settlement) in unanswered.values.lazy.map(\.waiter) {
            epochs.insert(settlement.leaseEpoch)
        }
        push { $0.heartbeat.extendedLeases = epochs.sorted() }
    }

    // MARK: - Hearing

    mutating func heard(now: Duration) {
        lastHeard = now
    }

    mutating func open(_ opened: Opened) throws(EventStreamingError) {
        guard case .opening = phase, self.opened == nil else { throw Self.broken("it opened the consumer twice") }
        self.opened = opened
        phase = .open
        deadline = nil
    }

    /// Takes in a frame of a lease.
    ///
    /// - Returns: Whether the lease is complete, so that there is something to ask for.
    mutating func receive(_ frame: LeaseFrame) throws(EventStreamingError) -> Bool {
        guard let holder = opened?.registration else {
            throw Self.broken("it sent events before it opened the consumer")
        }
        if let partial, partial.lease.epoch != frame.epoch { throw Self.broken("a lease was not completed") }
        let lease = try Lease(frame, of: holder, after: partial?.lease)
        var cost = CreditWindow.Credit(events: Int64(frame.events.count), bytes: frame.creditBytes)
        guard window.receive(cost) else {
            throw Self.broken("it sent more events than were asked for")
        }
        if let partial {
            cost.events += partial.cost.events
            cost.bytes += partial.cost.bytes
        }
        guard frame.isLast else {
            partial = (lease, cost)
            return false
        }
        partial = nil
        if lease.events.isEmpty { throw Self.broken("a lease has no events") }
        buffered.append((lease, cost))
        return true
    }

    /// The server says why it ends the call, which it is to do until `deadline`.
    mutating func closing(because reason: EventStreamingError, deadline: Duration) {
        guard closingReason == nil else { return }
        closingReason = reason
        self.deadline = min(self.deadline ?? deadline, deadline)
    }

    /// The server is about to shut down: gives back what nobody has taken yet.
    mutating func drain(now: Duration) {
        guard case .open = phase else { return }
        for (lease, _) in buffered where lease.needsSettlement {
            let settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch, releasesRest: true)
            push(settlement, .nobody(settlement), now: now)
        }
        buffered.removeAll { $0.lease.needsSettlement }
    }

    /// - Returns: Who waits for this answer, and what it is.
    mutating func answer(
        _ settled: WireSettled
    ) throws(EventStreamingError) -> (
        CheckedContinuation<Result<Int, EventStreamingError>, Never>, Result<Int, EventStreamingError>
    )? {
        guard let answered = unanswered.removeValue(forKey: settled.sequence) else {
            throw Self.broken("it answered what was not asked")
        }
        let error = settled.hasError ? EventStreamingError(answer: settled.error) : nil
        switch answered.waiter {
        case .call(let continuation, _):
            return (continuation, error.map { .failure($0) } ?? .success(Int(clamping: settled.marked)))
        case .nobody(let settlement):
            if let error, error.isRetriable {
                repeated.append(settlement)
            }
            return nil
        }
    }

    private static func broken(_ what: String) -> EventStreamingError {
        EventStreamingError(.storeUnavailable, "The server does not keep to the protocol: \(what).")
    }

    // MARK: - Time

    /// What is due now.
    ///
    /// - Returns: Why the call must be given up, if it must; otherwise when to look again.
    mutating func check(now: Duration, callTimeout: Duration) -> Result<Duration?, EventStreamingError> {
        if case .closed(let error) = phase { return .failure(error) }
        if let deadline, now >= deadline {
            return .failure(EventStreamingError(.storeUnavailable, "The server did not answer in time."))
        }
        guard let interval = opened?.heartbeatInterval else { return .success(deadline) }
        let silence = interval * 3
        if now - lastHeard >= silence {
            return .failure(
                EventStreamingError(.storeUnavailable, "Nothing was heard from the server for \(now - lastHeard).")
            )
        }
        var next = lastHeard + silence
        if let deadline {
            next = min(next, deadline)
        }
        if let oldest = unanswered.values.lazy.map(\.sentAt).min() {
            guard now - oldest < callTimeout else {
                return .failure(EventStreamingError(.storeUnavailable, "The server did not answer in time."))
            }
            next = min(next, oldest + callTimeout)
        }
        let quiet = interval * 0.8
        if now - lastSent >= quiet {
            push { $0.heartbeat = .init() }
            lastSent = now
        }
        return .success(min(next, lastSent + quiet))
    }

    // MARK: - Ending

    /// Says that everything is said; the server is to end the call until `deadline`.
    mutating func close(deadline: Duration) {
        switch phase {
        case .opening, .open:
            push { $0.close = .init() }
            isOutboxClosed = true
            phase = .closing
            self.deadline = deadline
        case .closing, .closed: break
        }
    }

    /// Ends the session.
    ///
    /// - Returns: Who still waited, and what to tell them.
    mutating func finish(
        _ error: EventStreamingError
    ) -> [(CheckedContinuation<Result<Int, EventStreamingError>, Never>, Result<Int, EventStreamingError>)] {
        guard !isClosed else { return [] }
        phase = .closed(error)
        isOutboxClosed = true
        outbox.removeAll()
        buffered.removeAll()
        partial = nil
        repeated.removeAll()
        let waiters = unanswered.values
        unanswered.removeAll()
        return waiters.compactMap { unanswered in
            guard case .call(let continuation, let code) = unanswered.waiter else { return nil }
            guard error.code == .unknownConsumer || error.isRetriable else { return (continuation, .failure(error)) }
            let lost = EventStreamingError(
                code,
                "The connection was lost before the server had answered; an event that is not finished is delivered again.",
                underlying: error
            )
            return (continuation, .failure(lost))
        }
    }
}

extension EventStreamingError {
    /// What a frame tells of.
    init(answer detail: WireErrorDetail) {
        self =
            EventStreamingError(detail)
            ?? EventStreamingError(
                detail.isRetriable ? .storeUnavailable : .unsupported,
                "\(EventStreamingError.printable(detail.code)): \(detail.message)"
            )
    }
}
