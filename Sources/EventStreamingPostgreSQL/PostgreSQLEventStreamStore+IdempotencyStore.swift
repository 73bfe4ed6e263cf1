#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore: IdempotencyStore {
    /// The most marks that are removed in one transaction.
    private static let marksPerStep = 5000

    /// The time by which locks end; `nil` for the server's.
    private var lockTime: Int64? { options.usesServerTime ? nil : clock.uptime.clampedNanoseconds }

    /// Which of the events were processed.
    public func wasProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Set<MessageID> {
        guard !events.isEmpty else { return [] }
        return try await withSession { (session) throws(EventStreamingError) in
            try ProcessedRows.marked(events, by: processor, session)
        }
    }

    /// Marks events as processed. The marks are on the server's disk when this returns.
    public func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp?
    ) async throws(EventStreamingError) -> Set<MessageID> {
        guard !events.isEmpty else { return [] }
        let time = time ?? clock.now
        return try await withSession { (session) throws(EventStreamingError) in
            try ProcessedRows.mark(events, by: processor, at: time, session)
        }
    }

    /// Forgets that events were processed.
    public func forgetProcessed(
        _ events: [MessageID]?,
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Int {
        try await withSession { (session) throws(EventStreamingError) in
            try ProcessedRows.forget(events, by: processor, session)
        }
    }

    /// Takes those of the locks that are free. A crash of the server forgets all locks.
    public func tryAcquireLocks(
        _ keys: [IdempotencyKey],
        for duration: Duration
    ) async throws(EventStreamingError) -> [IdempotencyLock] {
        try Validation.check(keys, for: duration)
        guard !keys.isEmpty else { return [] }
        let (token, now) = (UInt64.random(in: .min ... .max), lockTime)
        return try await withSession { (session) throws(EventStreamingError) in
            try ProcessedRows.acquire(keys, for: duration, token: token, at: now, session)
        }
    }

    /// Gives locks back.
    public func releaseLocks(_ locks: [IdempotencyLock]) async throws(EventStreamingError) -> Int {
        guard !locks.isEmpty else { return 0 }
        let now = lockTime
        return try await withSession { (session) throws(EventStreamingError) in
            try ProcessedRows.release(locks, at: now, session)
        }
    }

    /// Takes the lock of a stretch of events, and looks which of them were processed, in one round trip.
    public func claim(
        _ events: [MessageID],
        by processor: ProcessorID,
        locking key: IdempotencyKey,
        for duration: Duration
    ) async throws(EventStreamingError) -> ProcessingClaim? {
        try Validation.check([key], for: duration)
        let (token, now) = (UInt64.random(in: .min ... .max), lockTime)
        return try await withSession { (session) throws(EventStreamingError) in
            try ProcessedRows.claim(
                events, by: processor, locking: key, for: duration, token: token, at: now, session)
        }
    }

    /// Removes old marks, at most 5000 of them in one call, and locks. Several instances may do it at once.
    public func cleanup(
        olderThan time: Timestamp,
        limit: Int
    ) async throws(EventStreamingError) -> IdempotencyCleanup {
        try Validation.checkLimit(limit)
        let now = lockTime
        return try await withSession { (session) throws(EventStreamingError) in
            try ProcessedRows.clean(before: time, limit: min(limit, Self.marksPerStep), at: now, session)
        }
    }
}
#endif
