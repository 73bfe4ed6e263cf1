#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

/// Something to be done to a subscription, together with others. May be done again on another state, when it turns out
/// that somebody else had changed the subscription.
struct SubscriptionOperation: Sendable {
    /// Does it, and keeps the outcome.
    let apply: @Sendable (inout SubscriptionState, SubscriptionWork) -> Void
    /// What has to be known of the stream for it.
    var need = Need.look

    enum Need: Sendable {
        /// How it is now.
        case look
        /// That it has as many events for a consumer.
        case events(ConsumerRegistration, limit: Int)
        /// Nothing.
        case nothing
    }
}

/// The outcome of an operation, until its caller takes it.
final class OperationOutcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, EventStreamingError>?>(nil)

    func set(_ value: Result<Value, EventStreamingError>) {
        result.withLock { $0 = value }
    }

    func take() throws(EventStreamingError) -> Value {
        guard let result = result.withLock({ $0 }) else {
            throw EventStreamingError(.storeUnavailable, "The operation was not decided.")
        }
        return try result.get()
    }
}

/// What the operations of one group share: the stream as they see it, and what they ask to be done with it.
///
/// Not sendable: it lives on the connection's thread.
final class SubscriptionWork {
    let entry: SubscriptionEntry
    let session: Session
    let moment: Moment
    /// The moment by the clock of receipts: the server's, where that decides, because a user's receipts may be made by one
    /// instance and expired by another.
    let receiptTime: Timestamp
    /// The caller's clock at the moment.
    let callerUptime: Duration
    /// Where the stream begins.
    let first: Int64
    /// Whether this is how the stream is now, or was a moment ago.
    let hasLooked: Bool
    let log: StreamLog
    var effects = SubscriptionEffects()
    var floor = RetentionFloor()
    /// Whether what was done must survive a crash of the server.
    var isDurable = false
    /// Whether positions came or went.
    var changesPositions = false
    /// Set when an operation failed in the middle: the state is of no use any more.
    var failure: EventStreamingError?
    /// Dead letters that are not open any more, with what was done with them.
    var closed: [DeadLetterAuditEntry] = []
    /// Events that count as processed when the changes are written down.
    private(set) var processed: [ProcessedEvents] = []
    /// Events that do not count as processed any more.
    var unprocessed: [ProcessedEvents] = []
    /// Events to be read together with the writing.
    private(set) var pending: [PendingEvents] = []

    init(
        _ entry: SubscriptionEntry,
        _ session: Session,
        moment: Moment,
        receiptTime: Timestamp,
        callerUptime: Duration,
        view: StreamView,
        hasLooked: Bool
    ) {
        self.entry = entry
        self.session = session
        self.moment = moment
        self.receiptTime = receiptTime
        self.callerUptime = callerUptime
        first = view.first
        self.hasLooked = hasLooked
        log = StreamLog(entry.stream, head: view.head, session)
    }

    /// The numbers of the dead letters that are not open any more.
    var closedLetters: [Int64] { closed.map(\.deadLetter.rawValue) }

    /// Marks what a settlement says was processed, when the settlement was taken.
    func mark(_ events: ProcessedEvents?) {
        if let events {
            processed.append(events)
        }
    }

    /// The events at offsets, which are there when the operations are done.
    func events(at offsets: OffsetRanges) -> PendingEvents {
        let events = PendingEvents(offsets)
        pending.append(events)
        return events
    }

    private static let epoch = Statement("SELECT nextval('epochs')")

    /// The epoch of one more registration. When the operation has to be done again, because somebody was faster, it gets
    /// another; so the later registration has the greater one.
    func nextEpoch() throws(EventStreamingError) -> UInt64 {
        UInt64(bitPattern: try session.rows(Self.epoch).int64(0, 0))
    }

    /// How many dead letters are open, with those that are given up and closed in this very transaction.
    func openLetterCounts() throws(EventStreamingError) -> [ConsumerID?: Int] {
        var counts = try DeadLetterRows.counts(of: entry, except: closedLetters, session)
        for event in effects.givenUp {
            counts[event.consumer, default: 0] += 1
        }
        return counts
    }

    /// The partition keys of the open dead letters, but for those that are given up in this very transaction.
    func parkedKeys() throws(EventStreamingError) -> ParkedKeys {
        try DeadLetterRows.parkedKeys(of: entry, except: closedLetters, session)
    }

    /// Resolves a start within the stream.
    func offset(of position: StartPosition) throws(EventStreamingError) -> Int64 {
        switch position {
        case .beginning: first
        case .latest: log.head
        case .offset(let offset): min(max(offset.rawValue, first), log.head)
        case .timestamp, .event: try PostgreSQLEventStreamStore.offset(of: position, in: entry.stream, session)
        }
    }
}
#endif
