public import EventStreamingCore

extension FaultInjectingStore: IdempotencyStore {
    /// Which events were processed, unless a fault of ``Operation/wasProcessed`` applies.
    public func wasProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Set<MessageID> {
        try await perform(.wasProcessed) { () async throws(EventStreamingError) in
            try await base.wasProcessed(events, by: processor)
        }
    }

    /// Marks events, unless a fault of ``Operation/markProcessed`` applies.
    public func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp?
    ) async throws(EventStreamingError) -> Set<MessageID> {
        try await perform(.markProcessed) { () async throws(EventStreamingError) in
            try await base.markProcessed(events, by: processor, at: time)
        }
    }

    /// Forgets marks, unless a fault of ``Operation/forgetProcessed`` applies.
    public func forgetProcessed(
        _ events: [MessageID]?,
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Int {
        try await perform(.forgetProcessed) { () async throws(EventStreamingError) in
            try await base.forgetProcessed(events, by: processor)
        }
    }

    /// Takes locks, unless a fault of ``Operation/acquireLocks`` applies.
    public func tryAcquireLocks(
        _ keys: [IdempotencyKey],
        for duration: Duration
    ) async throws(EventStreamingError) -> [IdempotencyLock] {
        try await perform(.acquireLocks) { () async throws(EventStreamingError) in
            try await base.tryAcquireLocks(keys, for: duration)
        }
    }

    /// Gives locks back, unless a fault of ``Operation/releaseLocks`` applies.
    public func releaseLocks(_ locks: [IdempotencyLock]) async throws(EventStreamingError) -> Int {
        try await perform(.releaseLocks) { () async throws(EventStreamingError) in
            try await base.releaseLocks(locks)
        }
    }

    /// Takes a lock and looks for marks, unless a fault of ``Operation/claim`` applies.
    public func claim(
        _ events: [MessageID],
        by processor: ProcessorID,
        locking key: IdempotencyKey,
        for duration: Duration
    ) async throws(EventStreamingError) -> ProcessingClaim? {
        try await perform(.claim) { () async throws(EventStreamingError) in
            try await base.claim(events, by: processor, locking: key, for: duration)
        }
    }

    /// Removes what is old, unless a fault of ``Operation/cleanup`` applies.
    public func cleanup(
        olderThan time: Timestamp,
        limit: Int
    ) async throws(EventStreamingError) -> IdempotencyCleanup {
        try await perform(.cleanup) { () async throws(EventStreamingError) in
            try await base.cleanup(olderThan: time, limit: limit)
        }
    }
}
