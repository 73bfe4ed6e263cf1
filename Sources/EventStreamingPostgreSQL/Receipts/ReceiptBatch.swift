#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// What the operations of one transaction mean for the receipts of users, put together so that two round trips do for all of
/// them.
struct ReceiptBatch {
    private struct User {
        var isForgotten = false
        var actions: [ReceiptChange.Action] = []
        var offsets = OffsetRanges()
    }

    private var users: [ConsumerID: User] = [:]

    init(_ changes: [ReceiptChange]) {
        for change in changes {
            if let offsets = change.offsets {
                users[change.consumer, default: User()].actions.append(change.action)
                users[change.consumer]?.offsets.formUnion(offsets)
            } else {
                users[change.consumer] = User(isForgotten: true)
            }
        }
    }

    var isEmpty: Bool { users.isEmpty }

    /// Writes it, in the transaction that is open and has the lock of the subscription.
    ///
    /// - Parameters:
    ///   - time: When it happens, by the clock of receipts.
    ///   - first: The oldest event that the stream keeps.
    /// - Returns: Whether it could be done; otherwise somebody has changed a receipt since the operations were decided.
    func write(
        of entry: SubscriptionEntry,
        at time: Timestamp,
        keepingFrom first: Int64,
        _ session: Session
    ) throws(EventStreamingError) -> Bool {
        let names = users.keys.sorted()
        let forgotten = names.filter { users[$0]?.isForgotten == true }
        var windows: [ReceiptRows.Window] = []
        for (consumer, user) in users where !user.isForgotten {
            windows += user.offsets.ranges.map { ReceiptRows.Window(consumer: consumer, offsets: $0) }
        }
        let loaded = try ReceiptRows.lockAndLoad(windows, of: names, in: entry, session)
        var changes: [(consumer: ConsumerID, changes: ReceiptRunChanges)] = []
        for (consumer, user) in users {
            let old = user.isForgotten ? ReceiptRuns() : loaded[consumer] ?? ReceiptRuns()
            var runs = old
            for action in user.actions {
                guard runs.allows(action) else { return false }
                runs.apply(action, at: time, keepingFrom: first)
            }
            changes.append((consumer, runs.changes(from: old)))
        }
        try ReceiptRows.write(changes, forgetting: forgotten, of: entry, session)
        return true
    }
}
#endif
