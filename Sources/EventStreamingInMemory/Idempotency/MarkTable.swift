import EventStreamingCore
import Synchronization

/// Which events were processed. Has a lock of its own, under which no other is ever taken, so that marks can be made under
/// the lock of a stream.
final class MarkTable: Sendable {
    private let marks = Mutex<[ProcessorID: [MessageID: Timestamp]]>([:])

    func marked(_ events: [MessageID], by processor: ProcessorID) -> Set<MessageID> {
        marks.withLock { marks in
            guard let own = marks[processor] else { return [] }
            return Set(events.lazy.filter { own[$0] != nil })
        }
    }

    /// - Returns: Those that were not marked before.
    @discardableResult
    func mark(_ events: [MessageID], by processor: ProcessorID, at time: Timestamp) -> Set<MessageID> {
        marks.withLock { marks in
            var new: Set<MessageID> = []
            for event in events where marks[processor]?[event] == nil {
                marks[processor, default: [:]][event] = time
                new.insert(event)
            }
            return new
        }
    }

    /// - Returns: How many marks there were.
    @discardableResult
    func forget(_ events: [MessageID]?, by processor: ProcessorID) -> Int {
        marks.withLock { marks in
            guard let events else { return marks.removeValue(forKey: processor)?.count ?? 0 }
            var count = 0
            for event in events where marks[processor]?.removeValue(forKey: event) != nil {
                count += 1
            }
            if marks[processor]?.isEmpty == true {
                marks[processor] = nil
            }
            return count
        }
    }

    /// Removes at most `limit` marks from before `time`. Costs a look at every mark.
    ///
    /// - Returns: How many.
    func removeMarks(before time: Timestamp, limit: Int) -> Int {
        marks.withLock { marks in
            var count = 0
            for (processor, own) in marks where count < limit {
                let old = own.lazy.filter { $0.value < time }.prefix(limit - count).map(\.key)
                for event in Array(old) {
                    marks[processor]?[event] = nil
                    count += 1
                }
                if marks[processor]?.isEmpty == true {
                    marks[processor] = nil
                }
            }
            return count
        }
    }
}
