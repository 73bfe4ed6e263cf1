import EventStreamingCore

/// What only the service that keeps the events can do. A client's engine asks none of it; whoever does is told.
extension RemoteStore: EventStreamingStore {
    private static var unsupported: EventStreamingError {
        EventStreamingError(.unsupported, "Only the service that keeps the events can do this.")
    }

    // MARK: - Streams

    func createStream(_ definition: StreamDefinition) async throws(EventStreamingError) {
        throw Self.unsupported
    }

    func read(
        _ stream: StreamName,
        from offset: StreamOffset,
        direction: ReadDirection,
        limit: Int
    ) async throws(EventStreamingError) -> [StoredEvent] {
        throw Self.unsupported
    }

    func metadata(of stream: StreamName) async throws(EventStreamingError) -> StreamMetadata {
        throw Self.unsupported
    }

    func offset(of position: StartPosition, in stream: StreamName) async throws(EventStreamingError) -> StreamOffset {
        throw Self.unsupported
    }

    func offset(
        of consumer: ConsumerID?,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> StreamOffset {
        throw Self.unsupported
    }

    func trim(_ stream: StreamName, before offset: StreamOffset) async throws(EventStreamingError) -> Int {
        throw Self.unsupported
    }

    func applyRetention(to stream: StreamName) async throws(EventStreamingError) -> RetentionResult {
        throw Self.unsupported
    }

    // MARK: - Subscriptions

    func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError) {
        throw Self.unsupported
    }

    func createConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        start: StartPosition?
    ) async throws(EventStreamingError) {
        throw Self.unsupported
    }

    func removeConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool {
        throw Self.unsupported
    }

    /// None: the service ends what expired.
    func expireConsumers() async throws(EventStreamingError) -> [ConsumerRegistration] { [] }

    func consumers(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerInfo] {
        throw Self.unsupported
    }

    func partitions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [PartitionInfo] {
        throw Self.unsupported
    }

    func repartition(_ subscription: SubscriptionID, into count: Int) async throws(EventStreamingError) {
        throw Self.unsupported
    }

    func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress] {
        throw Self.unsupported
    }

    func setOffset(
        _ offset: StreamOffset,
        of consumer: ConsumerID?,
        in subscription: SubscriptionID,
        epoch: UInt64
    ) async throws(EventStreamingError) -> StreamOffset {
        throw Self.unsupported
    }

    func positions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerPosition] {
        throw Self.unsupported
    }

    // MARK: - Dead letters

    func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter] {
        throw Self.unsupported
    }

    func redrivable(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> [StreamOffset] {
        throw Self.unsupported
    }

    func redrive(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        throw Self.unsupported
    }

    func discard(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        throw Self.unsupported
    }

    func deadLetterAudit(
        of subscription: SubscriptionID,
        from number: Int64,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetterAuditEntry] {
        throw Self.unsupported
    }

    // MARK: - Exactly once

    func wasProcessed(
        _ events: [MessageID],
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Set<MessageID> {
        throw Self.unsupported
    }

    func markProcessed(
        _ events: [MessageID],
        by processor: ProcessorID,
        at time: Timestamp?
    ) async throws(EventStreamingError) -> Set<MessageID> {
        throw Self.unsupported
    }

    func forgetProcessed(
        _ events: [MessageID]?,
        by processor: ProcessorID
    ) async throws(EventStreamingError) -> Int {
        throw Self.unsupported
    }

    func tryAcquireLocks(
        _ keys: [IdempotencyKey],
        for duration: Duration
    ) async throws(EventStreamingError) -> [IdempotencyLock] {
        throw Self.unsupported
    }

    func releaseLocks(_ locks: [IdempotencyLock]) async throws(EventStreamingError) -> Int {
        throw Self.unsupported
    }

    func claim(
        _ events: [MessageID],
        by processor: ProcessorID,
        locking key: IdempotencyKey,
        for duration: Duration
    ) async throws(EventStreamingError) -> ProcessingClaim? {
        throw Self.unsupported
    }

    func cleanup(olderThan time: Timestamp, limit: Int) async throws(EventStreamingError) -> IdempotencyCleanup {
        throw Self.unsupported
    }

    // MARK: - Receipts

    func markDelivered(
        _ offsets: [Range<StreamOffset>],
        to consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) {
        throw Self.unsupported
    }

    func unreadCount(
        of consumer: ConsumerID,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Int {
        throw Self.unsupported
    }

    func unreadReceipts(
        of consumer: ConsumerID,
        in subscription: SubscriptionID,
        from offset: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        throw Self.unsupported
    }

    func receipts(
        for offset: StreamOffset,
        in subscription: SubscriptionID,
        after consumer: ConsumerID?,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        throw Self.unsupported
    }

    func expiredUnreadReceipts(
        of subscription: SubscriptionID,
        after timeout: Duration,
        limit: Int
    ) async throws(EventStreamingError) -> [ReadReceipt] {
        throw Self.unsupported
    }

    func expireUnread(
        of subscription: SubscriptionID,
        after timeout: Duration,
        policy: UnreadPolicy,
        limit: Int
    ) async throws(EventStreamingError) -> UnreadExpiry {
        throw Self.unsupported
    }

    func cleanUpReceipts(of subscription: SubscriptionID, limit: Int) async throws(EventStreamingError) -> Int {
        throw Self.unsupported
    }
}
