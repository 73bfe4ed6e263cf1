/// What is known of a ``GRPCLink``, as a value: every method is one step.
struct GRPCLinkState: Sendable {
    /// What there is to do for whoever watches the link.
    enum Step: Sendable, Hashable {
        /// Nothing, until a call begins.
        case wait
        /// Nothing, until then or a call begins.
        case waitUntil(Duration)
        /// Find out whether the other side is there: it was quiet since then.
        case probe(quietSince: Duration)
        /// The link is over.
        case end
    }

    private let interval: Duration
    private var calls = 0
    /// When something was heard at last, or the first of the calls under way began.
    private var quietSince = Duration.zero
    /// Why there is no connection, where that is known.
    private(set) var failure: (any Error)?
    private var isEnding = false
    private(set) var isDropped = false
    private(set) var isOver = false

    /// - Parameter interval: How long calls may be under way without a word before it is looked after.
    init(interval: Duration) {
        self.interval = interval
    }

    /// A call begins.
    ///
    /// - Returns: Whether it is the only one, so that whoever watches has something to do; `nil` when none may begin.
    mutating func begin(now: Duration) -> Bool? {
        guard !isEnding, !isDropped else { return nil }
        calls += 1
        guard calls == 1 else { return false }
        quietSince = max(quietSince, now)
        return true
    }

    /// A call is over.
    ///
    /// - Returns: Whether the link is to be dropped, as it was the last one.
    mutating func endCall() -> Bool {
        calls -= 1
        return isEnding && calls == 0
    }

    /// No call may begin any more.
    ///
    /// - Returns: Whether the link is to be dropped, as there are no calls.
    mutating func end() -> Bool {
        isEnding = true
        return calls == 0
    }

    /// Something has come from the other side.
    mutating func heard(now: Duration) {
        quietSince = max(quietSince, now)
        failure = nil
    }

    /// There is no connection, which the transport mends by itself.
    ///
    /// - Returns: Whether that is new.
    mutating func unreachable(_ error: any Error, now: Duration) -> Bool {
        defer { failure = error }
        quietSince = max(quietSince, now)
        return failure == nil
    }

    /// - Returns: Whether it was not dropped before.
    mutating func drop() -> Bool {
        defer { isDropped = true }
        return !isDropped
    }

    /// No transport runs any more.
    mutating func finish() {
        isOver = true
    }

    func next(now: Duration) -> Step {
        if isOver || isDropped { return .end }
        guard calls > 0 else { return .wait }
        let due = quietSince + interval
        return now < due ? .waitUntil(due) : .probe(quietSince: quietSince)
    }

    /// Whether there are calls, and nothing at all was heard since then.
    func isSilent(since: Duration) -> Bool {
        calls > 0 && quietSince == since
    }
}
