/// Remembers which events were processed, and keeps two from doing the same thing at the same time.
///
/// A *mark* says that a processor is done with an event. It is durable, and the first one wins. A *lock* keeps others away
/// for a while; it belongs to whoever holds its token, and ends by the store's clock. Locks keep honest parties from doing
/// work twice; what must not happen twice is decided by the marks.
///
/// The rules for implementers are those of ``EventStreamStore``. A settlement may carry marks, too:
/// ``Settlement/processed``. A redriven dead letter loses its mark in the same change, so that it is processed again; moving
/// a position back removes none.
public protocol IdempotencyStore: Sendable {
    /// Which of the events were processed.
    ///
    /// - Throws: `storeUnavailable`.
    func wasProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Set<MessageID>

    /// Marks events as processed; as durable as an append when this returns. Those that are marked already stay as they
    /// are.
    ///
    /// - Parameters:
    ///   - events: The events, in any order; one that is named twice is marked once.
    ///   - processor: Who processed them.
    ///   - time: When; the store's time when `nil`.
    /// - Returns: Those that were not marked before.
    func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp?
    ) async throws(EventStreamingError) -> Set<MessageID>

    /// Forgets that events were processed, so that they are processed again when they are delivered again.
    ///
    /// - Parameters:
    ///   - events: The events; `nil` for all of this processor.
    ///   - processor: Who processed them.
    /// - Returns: How many marks were removed.
    func forgetProcessed(
        _ events: [MessageID]?,
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Int

    /// Takes those of the locks that are free, or whose time has passed, each for itself.
    ///
    /// Nobody has a lock twice: whoever asks for a key that he holds already does not get it. A lock survives a crash of
    /// the process only where other processes may use the store, and a crash of the machine nowhere.
    ///
    /// - Parameters:
    ///   - keys: What to lock.
    ///   - duration: For how long, by the store's clock. More than zero, at most 365 days.
    /// - Returns: The locks taken, in order of the keys; fewer than keys where others hold some.
    /// - Throws: `invalidArgument` for a duration or a key outside what is allowed, and for keys that overlap each other.
    func tryAcquireLocks(
        _ keys: [IdempotencyKey],
        for duration: Duration
    ) async throws(EventStreamingError) -> [IdempotencyLock]

    /// Gives locks back. Those that have ended, or that somebody else took since, are passed over.
    ///
    /// - Returns: How many were given back.
    func releaseLocks(_ locks: [IdempotencyLock]) async throws(EventStreamingError) -> Int

    /// Takes the lock of a stretch of a processor's events, unless it is taken, and looks which of them were processed; both
    /// in one call. When the lock is not taken, nothing is said about the events.
    ///
    /// - Throws: as ``tryAcquireLocks(_:for:)``.
    func claim(
        _ events: [MessageID],
        by processor: ProcessorID,
        locking key: IdempotencyKey,
        for duration: Duration
    ) async throws(EventStreamingError) -> ProcessingClaim?

    /// Removes marks that were made before `time`, and locks whose time has passed; at most `limit` of each, so that nobody
    /// waits for long. Call it again until there are no more.
    ///
    /// - Returns: How many were removed.
    /// - Throws: `invalidArgument` for a limit below 1.
    func cleanup(olderThan time: Timestamp, limit: Int) async throws(EventStreamingError) -> IdempotencyCleanup
}

/// What a lock keeps others away from: a name, or a stretch of offsets under a name.
public struct IdempotencyKey: Sendable, Hashable {
    /// How many bytes a name may have.
    public static let maximumNameLength = 500

    /// The name: 1 to 500 bytes of any text but U+0000.
    public let name: String
    /// The offsets. Keys of the same name exclude each other where their offsets overlap; without offsets, all of them.
    public let offsets: Range<StreamOffset>

    /// A key for everything under the name.
    public init(_ name: String) {
        self.init(name, offsets: .zero..<StreamOffset(.max))
    }

    /// A key for some offsets under the name.
    public init(_ name: String, offsets: Range<StreamOffset>) {
        self.name = name
        self.offsets = offsets
    }

    /// The key for what a processor has in hand.
    public init(processing offsets: Range<StreamOffset>, by processor: ProcessorID) {
        self.init("processing \(processor.rawValue)", offsets: offsets)
    }
}

/// A lock that somebody holds.
public struct IdempotencyLock: Sendable, Hashable {
    /// What is locked.
    public let key: IdempotencyKey
    /// Who holds it: different for every call that takes locks.
    public let token: UInt64

    /// Creates a lock; only stores do.
    public init(key: IdempotencyKey, token: UInt64) {
        self.key = key
        self.token = token
    }
}

/// What ``IdempotencyStore/claim(_:by:locking:for:)`` took.
public struct ProcessingClaim: Sendable, Hashable {
    /// The lock.
    public let lock: IdempotencyLock
    /// Those of the events that were processed before.
    public let processed: Set<MessageID>

    /// Creates a claim; only stores do.
    public init(lock: IdempotencyLock, processed: Set<MessageID>) {
        self.lock = lock
        self.processed = processed
    }
}

/// What ``IdempotencyStore/cleanup(olderThan:limit:)`` removed.
public struct IdempotencyCleanup: Sendable, Hashable {
    /// How many marks.
    public let marks: Int
    /// How many locks.
    public let locks: Int

    /// Creates a result.
    public init(marks: Int, locks: Int) {
        self.marks = marks
        self.locks = locks
    }
}

/// Marks that are made, and a lock that is given back, together with a settlement.
public struct ProcessedEvents: Sendable, Hashable {
    /// Who processed them.
    public var processor: ProcessorID
    /// The events. Those that are marked already stay as they are.
    public var events: [MessageID]
    /// A lock that is given back, if it is still held.
    public var lock: IdempotencyLock?

    /// Creates a description of what was processed.
    public init(_ events: [MessageID], by processor: ProcessorID, releasing lock: IdempotencyLock? = nil) {
        self.events = events
        self.processor = processor
        self.lock = lock
    }
}

// MARK: - Convenience

extension IdempotencyStore {
    /// Whether one event was processed.
    ///
    /// - Throws: as ``wasProcessed(_:by:)-([MessageID],_)``.
    public func wasProcessed(_ event: MessageID, by processor: ProcessorID) async throws(EventStreamingError) -> Bool {
        try await wasProcessed([event], by: processor).contains(event)
    }

    /// Marks one event as processed.
    ///
    /// - Returns: Whether it was not marked before.
    /// - Throws: as ``markProcessed(_:by:at:)-([MessageID],_,_)``.
    @discardableResult
    public func markProcessed(
        _ event: MessageID,
        by processor: ProcessorID,
        at time: Timestamp? = nil
    ) async throws(EventStreamingError) -> Bool {
        try await markProcessed([event], by: processor, at: time).contains(event)
    }

    /// Takes the lock of a name, unless it is taken.
    ///
    /// - Throws: as ``tryAcquireLocks(_:for:)``.
    public func tryAcquireLock(
        _ name: String,
        for duration: Duration
    ) async throws(EventStreamingError) -> IdempotencyLock? {
        try await tryAcquireLocks([IdempotencyKey(name)], for: duration).first
    }

    /// Gives one lock back.
    ///
    /// - Returns: Whether it was still held.
    @discardableResult
    public func releaseLock(_ lock: IdempotencyLock) async throws(EventStreamingError) -> Bool {
        try await releaseLocks([lock]) == 1
    }
}
