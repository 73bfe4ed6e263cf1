import EventStreaming
import EventStreamingInMemory

extension EncodingStore {
    func wasProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Set<MessageID> {
        try await base.wasProcessed(events, by: processor)
    }

    func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp?
    ) async throws(EventStreamingError) -> Set<MessageID> {
        try await base.markProcessed(events, by: processor, at: time)
    }

    func forgetProcessed(_ events: [MessageID]?, by processor: ProcessorID) async throws(EventStreamingError) -> Int {
        try await base.forgetProcessed(events, by: processor)
    }

    func tryAcquireLocks(
        _ keys: [IdempotencyKey],
        for duration: Duration
    ) async throws(EventStreamingError) -> [IdempotencyLock] {
        try await base.tryAcquireLocks(keys, for: duration)
    }

    func releaseLocks(_ locks: [IdempotencyLock]) async throws(EventStreamingError) -> Int {
        try await base.releaseLocks(locks)
    }

    func claim(
        _ events: [MessageID],
        by processor: ProcessorID,
        locking key: IdempotencyKey,
        for duration: Duration
    ) async throws(EventStreamingError) -> ProcessingClaim? {
        try await base.claim(events, by: processor, locking: key, for: duration)
    }

    func cleanup(olderThan time: Timestamp, limit: Int) async throws(EventStreamingError) -> IdempotencyCleanup {
        try await base.cleanup(olderThan: time, limit: limit)
    }
}
