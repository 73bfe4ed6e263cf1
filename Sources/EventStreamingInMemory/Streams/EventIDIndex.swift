import EventStreamingCore

/// Finds the offset of an event by its id.
///
/// Ids grow with time, so nearly every new id is greater than all before it. Those are kept in a list, in which id and
/// offset both ascend: adding one is a comparison and no hashing, and finding one is a binary search. The others, made
/// before a greater id was appended, are in a dictionary.
///
/// An id is in one of the two for as long as its event is kept, and never twice: it is added only after ``offset(of:)``
/// did not find it, and goes to the list only when it is greater than ``greatest``. ``greatest`` is at least every id in
/// the list, trimmed ones included, so the list stays in order; and an id that is greater than it cannot be in the
/// dictionary either, whose ids were smaller than ``greatest`` when they came. An id whose event was trimmed and that is
/// appended again is not greater, so it goes to the dictionary.
struct EventIDIndex: Sendable {
    struct Entry: Sendable {
        let id: MessageID
        let offset: Int64
    }

    private var ascending = SegmentedQueue<Entry>()
    private var others: [MessageID: Int64] = [:]
    /// What is in the dictionary in order of the offsets, so that trimming need not look every event up.
    private var othersByOffset = SegmentedQueue<Entry>()
    private var greatest: MessageID?

    /// For tests: how many ids are in the list and in the dictionary.
    var counts: (ascending: Int, others: Int) { (ascending.count, others.count) }

    /// Whether `id` is greater than every id there ever was.
    func isBeyondAll(_ id: MessageID) -> Bool {
        guard let greatest else { return true }
        return greatest < id
    }

    func offset(of id: MessageID) -> Int64? {
        if isBeyondAll(id) {
            return nil
        }
        return others[id] ?? ascendingOffset(of: id)
    }

    private func ascendingOffset(of id: MessageID) -> Int64? {
        // An id that is looked for is most likely new: late by a few events, or a retry. So search from the end, in
        // steps that double, before searching within the last step.
        var high = ascending.end
        var step: Int64 = 1
        while high > ascending.start {
            let low = max(ascending.start, high - step)
            if ascending[low].id <= id {
                return search(id, in: low..<high)
            }
            high = low
            step *= 2
        }
        return nil
    }

    private func search(_ id: MessageID, in range: Range<Int64>) -> Int64? {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = low + (high - low) / 2
            let entry = ascending[middle]
            if entry.id == id {
                return entry.offset
            }
            if entry.id < id {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return nil
    }

    /// Adds events with ids that are not in the index, at offsets from `first` on.
    ///
    /// - Parameter isAscending: Whether every id is greater than the one before it.
    mutating func insert(_ events: [NewEvent], from first: Int64, isAscending: Bool) {
        if isAscending, let lowest = events.first, let highest = events.last, isBeyondAll(lowest.id) {
            ascending.append(count: events.count) { index in
                Entry(id: events[index].id, offset: first + Int64(index))
            }
            greatest = highest.id
            return
        }
        for (index, event) in events.enumerated() {
            let entry = Entry(id: event.id, offset: first + Int64(index))
            if isBeyondAll(event.id) {
                ascending.append(entry)
                greatest = event.id
            } else {
                others[event.id] = entry.offset
                othersByOffset.append(entry)
            }
        }
    }

    /// Forgets the ids of events before `offset`.
    mutating func trim(before offset: Int64) {
        let end = ascending.partitionFromStart { $0.offset < offset }
        ascending.trim(before: end) { _ in }
        if !othersByOffset.isEmpty {
            let end = othersByOffset.partitionFromStart { $0.offset < offset }
            for position in othersByOffset.start..<end {
                others[othersByOffset[position].id] = nil
            }
            othersByOffset.trim(before: end) { _ in }
        }
        if ascending.isEmpty, othersByOffset.isEmpty {
            // Nothing to be in order with.
            greatest = nil
        }
    }
}
