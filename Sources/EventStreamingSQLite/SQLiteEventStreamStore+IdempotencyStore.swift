public import EventStreamingCore
import EventStreamingStoreKit

extension SQLiteEventStreamStore: IdempotencyStore {
    /// The most marks that are removed in one transaction, so that nobody waits for long.
    private static let marksPerStep = 5000

    /// Which of the events were processed.
    public func wasProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Set<MessageID> {
        try marked(events, by: processor)
    }

    private func marked(
        _ events: [MessageID],
        by processor: ProcessorID
    ) throws(EventStreamingError) -> Set<MessageID> {
        guard !events.isEmpty else { return [] }
        return try database.read { try ProcessedRows(of: processor, in: $0).marked(events) }
    }

    /// Marks events as processed. The marks are on disk when this returns.
    public func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp?
    ) async throws(EventStreamingError) -> Set<MessageID> {
        let time = time ?? clock.now
        return try await change(durable: true) { try $0.markProcessed(events, by: processor, at: time) }
    }

    /// Forgets that events were processed.
    public func forgetProcessed(
        _ events: [MessageID]?,
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Int {
        try await change(durable: true) { try $0.forgetProcessed(events, by: processor) }
    }

    /// Takes those of the locks that are free. They are kept in memory and end with the process: nobody else can use the
    /// file, and the leases of the process end with it, too.
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

    /// Takes the lock of a stretch of events, and looks which of them were processed. Writes nothing.
    public func claim(
        _ events: [MessageID],
        by processor: ProcessorID,
        locking key: IdempotencyKey,
        for duration: Duration
    ) async throws(EventStreamingError) -> ProcessingClaim? {
        guard let lock = try await tryAcquireLocks([key], for: duration).first else { return nil }
        do throws(EventStreamingError) {
            return ProcessingClaim(lock: lock, processed: try marked(events, by: processor))
        } catch {
            locks.release([lock], at: clock.uptime)
            throw error
        }
    }

    /// Removes old marks, at most 5000 of them in one call, and locks.
    public func cleanup(
        olderThan time: Timestamp,
        limit: Int
    ) async throws(EventStreamingError) -> IdempotencyCleanup {
        try Validation.checkLimit(limit)
        let marks = try await change(durable: false) {
            try $0.removeMarks(before: time, limit: min(limit, Self.marksPerStep))
        }
        return IdempotencyCleanup(marks: marks, locks: locks.removeExpired(limit: limit, at: clock.uptime))
    }

    /// Gives back the lock that goes with a settlement, when that was committed.
    func releaseLock(of settlement: Settlement?) {
        guard let lock = settlement?.processed?.lock else { return }
        locks.release([lock], at: clock.uptime)
    }
}
