import EventStreaming
import EventStreamingCore

/// One `Subscribe` call on the server, as a value: what came from the peer and was not done yet, and what to do next.
struct SubscribeState: Sendable {
    /// Why a call ends.
    struct Ending: Sendable {
        var reason: WireCloseReason
        /// What ends the call with a status; `nil` for an end in good order.
        var error: EventStreamingError?
        /// Whether what the peer holds is given back without counting an attempt. Otherwise it counts as delivered.
        var releases = true
    }

    /// A frame that waits to be worked on.
    enum Request: Sendable {
        case settle(Settlement, sequence: UInt64)
        case markRead(ReceiptSelection, sequence: UInt64)

        /// The number under which it is answered.
        var sequence: UInt64 {
            switch self {
            case .settle(_, let sequence), .markRead(_, let sequence): sequence
            }
        }
    }

    /// What to do next.
    enum Step: Sendable {
        case answer(Request)
        /// Lease events, and record a settlement with the same call.
        case fetch(limit: Int, settling: (settlement: Settlement, sequence: UInt64)?)
        case heartbeat(isDraining: Bool)
        case wait(until: Duration?)
        case end(Ending)
    }

    /// How many frames may wait; then no more is read from the peer.
    static let maximumRequests = 64

    private(set) var credit: SendCredit
    private var book = LeaseBook()
    private var requests: [Request] = []
    private var registration: ConsumerRegistration?
    private var lastSequence: UInt64?
    private(set) var ending: Ending?
    private var isRequestedToEnd = false
    /// Whether asking for events may have a new answer.
    private var mayHaveMore = true
    /// When asking has one even if nobody says so.
    private var nextQuestion: Duration?
    private var owesHeartbeat = false
    private var hasSent = false
    private var extensions: Set<UInt64> = []
    private(set) var lastSeen: Duration
    private var isDraining = false
    private var hasToldOfDraining = false

    init(credit: SendCredit, now: Duration) {
        self.credit = credit
        lastSeen = now
    }

    /// Whether the peer must wait before more is read from it.
    var isFull: Bool { requests.count >= Self.maximumRequests }
    var hasEnded: Bool { ending != nil }

    // MARK: - From the peer

    mutating func opened(_ registration: ConsumerRegistration) {
        self.registration = registration
    }

    /// The first credit, which comes with the first frame.
    mutating func allow(_ more: WireCredit) throws(EventStreamingError) {
        try credit.add(more)
    }

    /// A sign of life.
    mutating func seen(now: Duration) {
        lastSeen = now
    }

    /// Takes in a frame that came after the first.
    ///
    /// - Throws: What is wrong with it; that ends the call.
    mutating func receive(_ frame: WireSubscribeRequest, now: Duration) throws(EventStreamingError) {
        lastSeen = now
        guard let registration else {
            throw EventStreamingError(.invalidArgument, "The first frame must be Open.")
        }
        switch frame.frame {
        case .open:
            throw EventStreamingError(.invalidArgument, "A second Open frame; a call consumes one subscription.")
        case .settle(let settle):
            try check(settle.sequence)
            requests.append(.settle(try Settlement(settle, of: registration), sequence: settle.sequence))
        case .markRead(let mark):
            try check(mark.sequence)
            requests.append(.markRead(try ReceiptSelection(mark), sequence: mark.sequence))
        case .heartbeat(let heartbeat):
            owesHeartbeat = true
            extensions.formUnion(heartbeat.extendedLeases.prefix(LeaseLimits.maximumExtensions))
        case .credit(let more):
            try credit.add(more)
        case .close:
            isRequestedToEnd = true
        case nil:
            // A frame of a later version of the contract: passed over.
            break
        }
    }

    private mutating func check(_ sequence: UInt64) throws(EventStreamingError) {
        if let lastSequence, sequence <= lastSequence {
            throw EventStreamingError(
                .invalidArgument,
                "A frame has the sequence number \(sequence) after \(lastSequence); each must be greater than the last."
            )
        }
        lastSequence = sequence
    }

    /// The peer has closed its side.
    mutating func closedByPeer() {
        isRequestedToEnd = true
    }

    // MARK: - From elsewhere

    /// Ends the call. The first reason counts.
    mutating func end(_ ending: Ending) {
        if self.ending == nil {
            self.ending = ending
        }
    }

    /// Sends no more events; ends when everything was settled.
    mutating func drain() {
        isDraining = true
    }

    /// There may be events to lease.
    mutating func changed() {
        mayHaveMore = true
    }

    /// The leases that the peer has asked to be extended since the last time.
    mutating func takeExtensions() -> Set<UInt64> {
        defer { extensions.removeAll() }
        return extensions
    }

    mutating func extended(_ epochs: Set<UInt64>, until end: Duration, now: Duration) {
        book.extended(epochs, until: end)
        book.forgetExpired(now: now)
    }

    // MARK: - The next step

    mutating func next(now: Duration) -> Step {
        if let ending { return .end(ending) }
        let limit = isDraining || isRequestedToEnd ? nil : credit.lease(unsettled: book.unsettled)
        if let request = requests.first {
            requests.removeFirst()
            // The last one goes along with the question for more: one commit instead of two.
            if requests.isEmpty, let limit, case .settle(let settlement, let sequence) = request {
                mayHaveMore = false
                nextQuestion = nil
                return .fetch(limit: limit, settling: (settlement, sequence))
            }
            return .answer(request)
        }
        if isRequestedToEnd { return .end(Ending(reason: .requested)) }
        if isDraining, book.isEmpty { return .end(Self.shuttingDown) }
        if owesHeartbeat || (isDraining && !hasToldOfDraining) {
            owesHeartbeat = false
            hasToldOfDraining = isDraining
            return .heartbeat(isDraining: isDraining)
        }
        if let limit, mayHaveMore || nextQuestion.map({ now >= $0 }) == true {
            mayHaveMore = false
            nextQuestion = nil
            return .fetch(limit: limit, settling: nil)
        }
        return .wait(until: limit == nil ? nil : nextQuestion)
    }

    /// Whether another answer is ready, so that what is to be sent can wait for it.
    var hasRequests: Bool { !requests.isEmpty }

    // MARK: - After a step

    mutating func leased(_ lease: Lease, bytes: Int, until end: Duration) {
        credit.use(events: lease.events.count, bytes: bytes)
        mayHaveMore = true
        if lease.needsSettlement {
            book.add(lease, until: end)
        }
    }

    mutating func foundNothing(until: Duration?) {
        nextQuestion = until
    }

    mutating func settled(_ settlement: Settlement) {
        book.settled(settlement)
    }

    mutating func lost(_ epoch: UInt64) {
        book.forget(epoch)
    }

    mutating func sent() {
        hasSent = true
    }

    /// A heartbeat is due, unless something was sent since the last time.
    mutating func round() {
        owesHeartbeat = owesHeartbeat || !hasSent
        hasSent = false
    }

    /// What gives everything back that the peer holds, once.
    mutating func takeReleases() -> [Settlement] {
        guard let registration else { return [] }
        defer { book = LeaseBook() }
        return book.epochs.map { Settlement(of: registration, leaseEpoch: $0, releasesRest: true) }
    }

    static var shuttingDown: Ending {
        Ending(
            reason: .shuttingDown,
            error: EventStreamingError(.shuttingDown, "The server is shutting down; connect again, here or elsewhere.")
        )
    }
}

enum LeaseLimits {
    /// How many leases one heartbeat may name.
    static let maximumExtensions = 10_000
}
