import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    /// Marks events as processed, in the transaction of the group.
    ///
    /// - Returns: Those that were not marked before.
    @discardableResult
    func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp
    ) throws -> Set<MessageID> {
        guard !events.isEmpty else { return [] }
        try begin()
        return try ProcessedRows(of: processor, in: requireConnection()).mark(events, at: time)
    }

    /// Marks what a settlement says was processed, when the settlement was taken.
    func mark(_ processed: ProcessedEvents?, at moment: Moment) throws {
        guard let processed else { return }
        try markProcessed(processed.events, by: processed.processor, at: moment.now)
    }

    /// Removes marks; all of the processor when `events` is `nil`.
    func forgetProcessed(_ events: [MessageID]?, by processor: ProcessorID) throws -> Int {
        try begin()
        return try ProcessedRows(of: processor, in: requireConnection()).forget(events)
    }

    /// Removes at most `limit` marks from before `time`.
    func removeMarks(before time: Timestamp, limit: Int) throws -> Int {
        try begin()
        return try ProcessedRows.removeMarks(before: time, limit: limit, in: requireConnection())
    }
}
