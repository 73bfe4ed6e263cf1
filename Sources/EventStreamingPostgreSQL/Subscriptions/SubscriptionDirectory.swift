#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

/// What a subscription is, and never changes.
struct SubscriptionEntry: Sendable {
    let id: Int64
    let name: SubscriptionID
    let mode: SubscriptionMode
    let stream: StreamDirectory.Entry
    let deadLetterStream: StreamDirectory.Entry

    private static let find = Statement(
        "SELECT id, name, mode, stream_id, dead_letter_stream_id FROM subscriptions WHERE name = $1::text"
    )
    private static let lockAll = Statement(
        """
        SELECT id, name, mode, stream_id, dead_letter_stream_id FROM subscriptions WHERE stream_id = $1::bigint
        ORDER BY id FOR NO KEY UPDATE
        """
    )

    /// The subscription of that name, if there is one.
    static func find(
        _ name: SubscriptionID,
        _ streams: StreamDirectory,
        _ session: Session
    ) throws(EventStreamingError) -> SubscriptionEntry? {
        let rows = try session.rows(find) { $0.add(name.rawValue) }
        return rows.count > 0 ? try SubscriptionEntry(rows, 0, streams, session) : nil
    }

    /// All subscriptions of a stream, in order of their numbers, locked until the transaction ends.
    static func lockAll(
        of stream: Int64,
        _ streams: StreamDirectory,
        _ session: Session
    ) throws(EventStreamingError) -> [SubscriptionEntry] {
        let rows = try session.rows(lockAll) { $0.add(stream) }
        var entries: [SubscriptionEntry] = []
        for row in 0..<rows.count {
            entries.append(try SubscriptionEntry(rows, row, streams, session))
        }
        return entries
    }

    private init(
        _ rows: Rows,
        _ row: Int,
        _ streams: StreamDirectory,
        _ session: Session
    ) throws(EventStreamingError) {
        id = rows.int64(row, 0)
        name = try rows.name(row, 1)
        mode = try rows.word(row, 2)
        guard let stream = try streams.entry(rows.int64(row, 3), session),
            let deadLetterStream = try streams.entry(rows.int64(row, 4), session)
        else { throw .unknownSubscription(name) }
        self.stream = stream
        self.deadLetterStream = deadLetterStream
    }
}

/// The subscriptions that this instance has met.
final class SubscriptionDirectory: Sendable {
    private let gates = Mutex<[SubscriptionID: SubscriptionGate]>([:])

    func known(_ id: SubscriptionID) -> SubscriptionGate? {
        gates.withLock { $0[id] }
    }

    /// The gate of a subscription; made by `makeGate` for one that was not known.
    func add(_ entry: SubscriptionEntry, _ makeGate: (SubscriptionEntry) -> SubscriptionGate) -> SubscriptionGate {
        let made = makeGate(entry)
        return gates.withLock { gates in
            if let first = gates[entry.name] { return first }
            gates[entry.name] = made
            return made
        }
    }
}

/// One subscription as this instance knows it: the operations that wait for it, and the state it had when we last
/// looked.
final class SubscriptionGate: Sendable {
    /// An operation, and where it goes: a group is of one gate, which it must be told.
    struct Request: Sendable {
        let gate: SubscriptionGate
        let operation: SubscriptionOperation
    }

    typealias Group = GroupCommit<Request, EventStreamingError?>

    let entry: SubscriptionEntry
    let operations: Group
    /// `nil` while it is in use, and after a change of which it is not known whether it was made.
    private let cached = Mutex<LoadedSubscription?>(nil)

    init(_ entry: SubscriptionEntry, operations: Group) {
        self.entry = entry
        self.operations = operations
    }

    /// Takes the state out: whoever has it is the only one, so that changing it copies nothing.
    func takeCached() -> LoadedSubscription? {
        cached.withLock { cached in
            defer { cached = nil }
            return cached
        }
    }

    func putBack(_ subscription: LoadedSubscription) {
        cached.withLock { $0 = subscription }
    }
}
#endif
