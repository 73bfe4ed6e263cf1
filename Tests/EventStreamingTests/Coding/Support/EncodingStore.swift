import EventStreaming
import EventStreamingInMemory

/// A store in memory that wants bytes, as a store on disk does.
///
/// It compares the contents of repeated ids and keeps what it is given; a payload that is no bytes is refused, since the
/// service has to encode.
struct EncodingStore: EventStreamingStore {
    let base: InMemoryEventStreamStore

    init(clock: any EventStreamingClock = SystemClock()) {
        base = InMemoryEventStreamStore(clock: clock)
    }

    var storage: EventStreamingStorage {
        EventStreamingStorage { _ in self }
    }

    /// Puts bytes into a stream that no event of the service's would have.
    func plant(_ bytes: [UInt8], as type: EventType, in stream: StreamName) async throws(EventStreamingError) {
        let id = MessageIDGenerator(clock: SystemClock()).next()
        let event = NewEvent(id: id, type: type, payload: .encoded(bytes), size: bytes.count)
        _ = try await base.append(StreamAppend(stream: stream, events: [event]))
    }

    // MARK: - Streams

    var payloadForm: PayloadForm { .encoded }

    func createStream(_ definition: StreamDefinition) async throws(EventStreamingError) {
        try await base.createStream(definition)
    }

    func append(_ append: StreamAppend) async throws(EventStreamingError) -> AppendResult {
        for event in append.events {
            guard case .encoded = event.payload else {
                throw EventStreamingError(.unsupported, "This store keeps bytes only.")
            }
        }
        return try await base.append(append)
    }

    func read(
        _ stream: StreamName,
        from offset: StreamOffset,
        direction: ReadDirection,
        limit: Int
    ) async throws(EventStreamingError) -> [StoredEvent] {
        try await base.read(stream, from: offset, direction: direction, limit: limit)
    }

    func metadata(of stream: StreamName) async throws(EventStreamingError) -> StreamMetadata {
        try await base.metadata(of: stream)
    }

    func offset(of position: StartPosition, in stream: StreamName) async throws(EventStreamingError) -> StreamOffset {
        try await base.offset(of: position, in: stream)
    }

    func trim(_ stream: StreamName, before offset: StreamOffset) async throws(EventStreamingError) -> Int {
        try await base.trim(stream, before: offset)
    }

    func applyRetention(to stream: StreamName) async throws(EventStreamingError) -> RetentionResult {
        try await base.applyRetention(to: stream)
    }

    func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?
    ) async throws(EventStreamingError) -> DequeueResult {
        try await base.dequeue(as: consumer, limit: limit, settling: settlement)
    }

    func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        try await base.settle(settlement)
    }

    func addObserver(_ observer: any StreamObserver) {
        base.addObserver(observer)
    }

    // MARK: - Subscriptions

    func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError) {
        try await base.createSubscription(definition)
    }

    func createConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        start: StartPosition?
    ) async throws(EventStreamingError) {
        try await base.createConsumer(consumer, of: subscription, start: start)
    }

    func registerConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        kind: ConsumerKind,
        start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration {
        try await base.registerConsumer(consumer, of: subscription, kind: kind, start: start)
    }

    func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError) {
        try await base.unregisterConsumer(registration)
    }

    func removeConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool {
        try await base.removeConsumer(consumer, of: subscription)
    }

    func heartbeat(_ registration: ConsumerRegistration, extending leases: LeaseExtension)
        async throws(EventStreamingError)
    {
        try await base.heartbeat(registration, extending: leases)
    }

    func expireConsumers() async throws(EventStreamingError) -> [ConsumerRegistration] {
        try await base.expireConsumers()
    }

    func consumers(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerInfo] {
        try await base.consumers(of: subscription)
    }

    func partitions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [PartitionInfo] {
        try await base.partitions(of: subscription)
    }

    func repartition(_ subscription: SubscriptionID, into count: Int) async throws(EventStreamingError) {
        try await base.repartition(subscription, into: count)
    }

    func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress] {
        try await base.progress(of: subscription)
    }

    // MARK: - Dead letters

    func setOffset(
        _ offset: StreamOffset,
        of consumer: ConsumerID?,
        in subscription: SubscriptionID,
        epoch: UInt64
    ) async throws(EventStreamingError) -> StreamOffset {
        try await base.setOffset(offset, of: consumer, in: subscription, epoch: epoch)
    }

    func positions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerPosition] {
        try await base.positions(of: subscription)
    }

    func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter] {
        try await base.deadLetters(of: subscription, from: number, limit: limit)
    }

    func redrivable(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try await base.redrivable(numbers, of: subscription)
    }

    func redrive(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try await base.redrive(numbers, of: subscription, by: note)
    }

    func discard(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try await base.discard(numbers, of: subscription, by: note)
    }

    func deadLetterAudit(
        of subscription: SubscriptionID,
        from number: Int64,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetterAuditEntry] {
        try await base.deadLetterAudit(of: subscription, from: number, limit: limit)
    }
}
