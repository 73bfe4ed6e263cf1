public import EventStreamingCore
import EventStreamingStoreKit

extension InMemoryEventStreamStore: IdempotencyStore {
    /// Which of the events were processed.
    public func wasProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Set<MessageID> {
        marks.marked(events, by: processor)
    }

    /// Marks events as processed.
    public func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp?
    ) async throws(EventStreamingError) -> Set<MessageID> {
        marks.mark(events, by: processor, at: time ?? clock.now)
    }

    /// Forgets that events were processed.
    public func forgetProcessed(
        _ events: [MessageID]?,
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Int {
        marks.forget(events, by: processor)
    }

    /// Takes those of the locks that are free.
    public func tryAcquireLocks(
        _ keys: [IdempotencyKey],
        for duration: Duration
    ) async throws(EventStreamingError) -> [IdempotencyLock] {
        try Validation.check(keys, for: duration)
        return locks.acquire(keys, for: duration, at: clock.uptime)
    }

    /// Gives locks back.
    public func releaseLocks(_ locks: [IdempotencyLock]) async throws(EventStreamingError) -> Int {
        self.locks.release(locks, at: clock.uptime)
    }

    /// Takes the lock of a stretch of events, and looks which of them were processed.
    public func claim(
        _ events: [MessageID],
        by processor: ProcessorID,
        locking key: IdempotencyKey,
        for duration: Duration
    ) async throws(EventStreamingError) -> ProcessingClaim? {
        guard let lock = try await tryAcquireLocks([key], for: duration).first else { return nil }
        return ProcessingClaim(lock: lock, processed: marks.marked(events, by: processor))
    }

    /// Removes old marks and locks. Costs a look at every mark.
    public func cleanup(
        olderThan time: Timestamp,
        limit: Int
    ) async throws(EventStreamingError) -> IdempotencyCleanup {
        try Validation.checkLimit(limit)
        return IdempotencyCleanup(
            marks: marks.removeMarks(before: time, limit: limit),
            locks: locks.removeExpired(limit: limit, at: clock.uptime)
        )
    }

    /// Marks what a settlement says was processed. Called under the lock of the stream, when the settlement was taken.
    func mark(_ processed: ProcessedEvents?, at moment: Moment) {
        guard let processed else { return }
        marks.mark(processed.events, by: processed.processor, at: moment.now)
        if let lock = processed.lock {
            locks.release([lock], at: moment.uptime)
        }
    }
}
