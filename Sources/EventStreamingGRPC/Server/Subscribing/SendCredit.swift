import EventStreamingCore

/// How much a peer allows to be sent, and how many events to lease for that.
///
/// How large events are is only known when they are there, so their mean size so far decides: few at first, then as many as
/// fill the credit.
struct SendCredit: Sendable {
    private static let firstLease = 16

    /// The most that a peer may have allowed at once.
    let maximum: (events: Int64, bytes: Int64)
    /// The most events in one lease.
    let maximumLease: Int

    private(set) var events: Int64 = 0
    private(set) var bytes: Int64 = 0
    private var meanSize: Int64 = 0

    init(maximum: (events: Int64, bytes: Int64), maximumLease: Int) {
        self.maximum = maximum
        self.maximumLease = maximumLease
    }

    /// Takes in more.
    ///
    /// - Throws: `invalidArgument` for what is not positive, or too much together with what is left.
    mutating func add(_ credit: WireCredit) throws(EventStreamingError) {
        guard credit.events > 0, credit.bytes > 0 else {
            throw EventStreamingError(
                .invalidArgument,
                "A credit of \(credit.events) events and \(credit.bytes) bytes; both must be more than 0."
            )
        }
        // What was overdrawn does not count: it was sent already.
        let (allEvents, isOverflowing) = events.addingReportingOverflow(credit.events)
        let (allBytes, isAlsoOverflowing) = max(0, bytes).addingReportingOverflow(credit.bytes)
        guard !isOverflowing, !isAlsoOverflowing, allEvents <= maximum.events, allBytes <= maximum.bytes else {
            throw EventStreamingError(
                .invalidArgument,
                "A credit of \(credit.events) events and \(credit.bytes) bytes is too much together with the \(events) "
                    + "events and \(bytes) bytes that are left; the limits are \(maximum.events) events and "
                    + "\(maximum.bytes) bytes."
            )
        }
        events = allEvents
        bytes += credit.bytes
    }

    /// How many events to lease now; `nil` for none.
    ///
    /// - Parameter unsettled: How many were sent and are not settled: a peer that settles nothing gets no more.
    func lease(unsettled: Int) -> Int? {
        let room = min(events, maximum.events - Int64(unsettled), Int64(maximumLease))
        guard room > 0, bytes > 0 else { return nil }
        guard meanSize > 0 else { return Int(min(room, Int64(Self.firstLease))) }
        return Int(min(room, max(1, bytes / meanSize)))
    }

    /// Takes note of what was leased and will be sent.
    mutating func use(events count: Int, bytes size: Int) {
        guard count > 0 else { return }
        events -= Int64(count)
        bytes -= Int64(size)
        let mean = max(1, Int64(size) / Int64(count))
        // Rises at once and falls slowly, so that a few small events do not let many large ones in.
        meanSize = mean > meanSize ? mean : (meanSize * 7 + mean) / 8
    }
}
