import EventStreamingCore
import EventStreamingStoreKit
import HeapModule

/// The receipts of all users of a subscription.
struct ReceiptBook: Sendable {
    private struct User: Sendable {
        var runs = ReceiptRuns()
        /// The user's place in ``queue``: not after the oldest delivery that is unread.
        var queuedAt: Timestamp?
    }

    /// Where to look next for what is overdue. Not corrected before it comes to the top, so that a settlement or a mark
    /// costs no search.
    private struct Place: Comparable, Sendable {
        let time: Timestamp
        let consumer: ConsumerID

        static func < (left: Place, right: Place) -> Bool {
            left.time == right.time ? left.consumer < right.consumer : left.time < right.time
        }
    }

    private var users: [ConsumerID: User] = [:]
    private var queue = Heap<Place>()

    /// The receipts of a user; none when it was given nothing yet.
    subscript(consumer: ConsumerID) -> ReceiptRuns { users[consumer]?.runs ?? ReceiptRuns() }

    // MARK: - Changing

    /// Applies what an operation of the subscription means for the receipts.
    mutating func apply(_ change: ReceiptChange, at time: Timestamp, keepingFrom first: Int64) {
        guard change.action != .forget else {
            users[change.consumer] = nil
            return
        }
        users[change.consumer, default: User()].runs.apply(change.action, at: time, keepingFrom: first)
        if case .deliver = change.action {
            expect(change.consumer, at: time)
        }
    }

    mutating func markDelivered(
        _ offsets: OffsetRanges,
        to consumer: ConsumerID,
        at time: Timestamp,
        keepingFrom first: Int64
    ) {
        users[consumer, default: User()].runs.markDelivered(offsets, at: time, keepingFrom: first)
        expect(consumer, at: time)
    }

    /// Changes the receipts of a user in a way that makes none be overdue earlier.
    mutating func modify<Result>(
        _ consumer: ConsumerID,
        _ body: (inout ReceiptRuns) throws(EventStreamingError) -> Result
    ) throws(EventStreamingError) -> Result {
        guard users[consumer] != nil else {
            var none = ReceiptRuns()
            return try body(&none)
        }
        return try body(&users[consumer, default: User()].runs)
    }

    /// - Returns: How many runs were removed.
    mutating func removeGone(before first: Int64, limit: Int) -> Int {
        var count = 0
        for (consumer, user) in users where count < limit && !user.runs.isEmpty {
            count += users[consumer]?.runs.removeGone(before: first, limit: limit - count) ?? 0
        }
        return count
    }

    /// Sees to it that a user is looked at when what was delivered at `time` is overdue.
    private mutating func expect(_ consumer: ConsumerID, at time: Timestamp) {
        if let queuedAt = users[consumer]?.queuedAt, queuedAt <= time {
            return
        }
        users[consumer]?.queuedAt = time
        queue.insert(Place(time: time, consumer: consumer))
    }

    // MARK: - Looking

    /// Those who have a receipt for an event, by name.
    func receipts(for offset: Int64, after consumer: ConsumerID?, limit: Int) -> [(ConsumerID, ReceiptRun)] {
        let found = users.compactMap { name, user in
            consumer.map { $0 < name } ?? true ? user.runs.run(at: offset).map { (name, $0) } : nil
        }
        return Array(found.sorted { $0.0 < $1.0 }.prefix(limit))
    }

    /// What was delivered at `time` or earlier and is unread, the oldest first; at most `limit` events.
    ///
    /// Costs what the users cost that have something overdue, as far as the limit allows to look at them.
    mutating func overdue(since time: Timestamp, keepingFrom first: Int64, limit: Int) -> [OverdueReceipt] {
        var result: [OverdueReceipt] = []
        var count = 0
        var pending: [ConsumerID: ArraySlice<ReceiptRun>] = [:]
        var next = Heap<Place>()
        while count < limit {
            while let place = queue.min, place.time <= time, next.min.map({ place < $0 }) ?? true {
                queue.removeMin()
                guard pending[place.consumer] == nil, correct(place, keepingFrom: first) else { continue }
                pending[place.consumer] = users[place.consumer]?.runs.overdue(since: time, keepingFrom: first)[...]
                next.insert(place)
            }
            guard let place = next.popMin() else { break }
            while count < limit, let run = pending[place.consumer]?.first, run.deliveredAt <= place.time {
                for part in [run].prefix(events: limit - count) {
                    result.append(OverdueReceipt(place.consumer, part))
                    count += part.offsets.count
                }
                pending[place.consumer]?.removeFirst()
            }
            if let run = pending[place.consumer]?.first {
                next.insert(Place(time: run.deliveredAt, consumer: place.consumer))
            }
        }
        for consumer in pending.keys {
            // What was found is still unread; the place is corrected when it comes to the top again.
            if let time = users[consumer]?.queuedAt {
                queue.insert(Place(time: time, consumer: consumer))
            }
        }
        return result
    }

    /// Corrects a place that came to the top of the queue.
    ///
    /// - Returns: Whether it was right.
    private mutating func correct(_ place: Place, keepingFrom first: Int64) -> Bool {
        guard let user = users[place.consumer], user.queuedAt == place.time else { return false }
        let oldest = user.runs.oldestDelivery(keepingFrom: first)
        guard oldest != place.time else { return true }
        users[place.consumer]?.queuedAt = oldest
        if let oldest {
            queue.insert(Place(time: oldest, consumer: place.consumer))
        }
        return false
    }
}
