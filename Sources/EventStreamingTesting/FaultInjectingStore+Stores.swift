public import EventStreamingCore

extension FaultInjectingStore: EventStreamStore {
    /// That of the wrapped store.
    public var payloadForm: PayloadForm { base.payloadForm }

    /// Creates the stream, unless a fault of ``Operation/createStream`` applies.
    public func createStream(_ definition: StreamDefinition) async throws(EventStreamingError) {
        try await perform(.createStream) { () async throws(EventStreamingError) in
            try await base.createStream(definition)
        }
    }

    /// Appends the events, unless a fault of ``Operation/append`` applies.
    public func append(_ append: StreamAppend) async throws(EventStreamingError) -> AppendResult {
        try await perform(.append) { () async throws(EventStreamingError) in
            try await base.append(append)
        }
    }

    /// Makes the appends, unless a fault of ``Operation/appendGroup`` applies; then all of them fail.
    public func append(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        do throws(EventStreamingError) {
            return try await perform(.appendGroup) { () async throws(EventStreamingError) in
                await base.append(group)
            }
        } catch {
            return group.map { _ in .failure(error) }
        }
    }

    /// Reads a page, unless a fault of ``Operation/read`` applies.
    public func read(
        _ stream: StreamName,
        from offset: StreamOffset,
        direction: ReadDirection,
        limit: Int
    ) async throws(EventStreamingError) -> [StoredEvent] {
        try await perform(.read) { () async throws(EventStreamingError) in
            try await base.read(stream, from: offset, direction: direction, limit: limit)
        }
    }

    /// The stream's state, unless a fault of ``Operation/metadata`` applies.
    public func metadata(of stream: StreamName) async throws(EventStreamingError) -> StreamMetadata {
        try await perform(.metadata) { () async throws(EventStreamingError) in
            try await base.metadata(of: stream)
        }
    }

    /// Resolves a position, unless a fault of ``Operation/offset`` applies.
    public func offset(
        of position: StartPosition,
        in stream: StreamName
    ) async throws(EventStreamingError) -> StreamOffset {
        try await perform(.offset) { () async throws(EventStreamingError) in
            try await base.offset(of: position, in: stream)
        }
    }

    /// Removes events, unless a fault of ``Operation/trim`` applies.
    public func trim(_ stream: StreamName, before offset: StreamOffset) async throws(EventStreamingError) -> Int {
        try await perform(.trim) { () async throws(EventStreamingError) in
            try await base.trim(stream, before: offset)
        }
    }

    /// Applies the retention policy, unless a fault of ``Operation/applyRetention`` applies.
    public func applyRetention(to stream: StreamName) async throws(EventStreamingError) -> RetentionResult {
        try await perform(.applyRetention) { () async throws(EventStreamingError) in
            try await base.applyRetention(to: stream)
        }
    }

    /// Leases events, unless a fault of ``Operation/dequeue`` applies; with a settlement, or one of ``Operation/settle``.
    public func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?
    ) async throws(EventStreamingError) -> DequeueResult {
        guard let settlement else {
            return try await perform(.dequeue) { () async throws(EventStreamingError) in
                try await base.dequeue(as: consumer, limit: limit, settling: nil)
            }
        }
        return try await perform(.settle) { () async throws(EventStreamingError) in
            try await perform(.dequeue) { () async throws(EventStreamingError) in
                try await base.dequeue(as: consumer, limit: limit, settling: settlement)
            }
        }
    }

    /// Settles offsets, unless a fault of ``Operation/settle`` applies.
    public func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        try await perform(.settle) { () async throws(EventStreamingError) in
            try await base.settle(settlement)
        }
    }

    /// Adds the observer to the wrapped store; it is told of changes whose hints are not lost.
    public func addObserver(_ observer: any StreamObserver) {
        let relay = HintRelay(observer, store: self)
        keep(relay)
        base.addObserver(relay)
    }
}

extension FaultInjectingStore: SubscriptionStore {
    /// Creates the subscription, unless a fault of ``Operation/createSubscription`` applies.
    public func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError) {
        try await perform(.createSubscription) { () async throws(EventStreamingError) in
            try await base.createSubscription(definition)
        }
    }

    /// Gives a consumer its position, unless a fault of ``Operation/createConsumer`` applies.
    public func createConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        start: StartPosition?
    ) async throws(EventStreamingError) {
        try await perform(.createConsumer) { () async throws(EventStreamingError) in
            try await base.createConsumer(consumer, of: subscription, start: start)
        }
    }

    /// Registers a consumer, unless a fault of ``Operation/registerConsumer`` applies.
    public func registerConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        kind: ConsumerKind,
        start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration {
        try await perform(.registerConsumer) { () async throws(EventStreamingError) in
            try await base.registerConsumer(consumer, of: subscription, kind: kind, start: start)
        }
    }

    /// Ends a registration, unless a fault of ``Operation/unregisterConsumer`` applies.
    public func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError) {
        try await perform(.unregisterConsumer) { () async throws(EventStreamingError) in
            try await base.unregisterConsumer(registration)
        }
    }

    /// Removes a consumer, unless a fault of ``Operation/removeConsumer`` applies.
    public func removeConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool {
        try await perform(.removeConsumer) { () async throws(EventStreamingError) in
            try await base.removeConsumer(consumer, of: subscription)
        }
    }

    /// A sign of life, unless a fault of ``Operation/heartbeat`` applies.
    public func heartbeat(
        _ registration: ConsumerRegistration,
        extending leases: LeaseExtension
    ) async throws(EventStreamingError) {
        try await perform(.heartbeat) { () async throws(EventStreamingError) in
            try await base.heartbeat(registration, extending: leases)
        }
    }

    /// Ends what ran out, unless a fault of ``Operation/expireConsumers`` applies.
    public func expireConsumers() async throws(EventStreamingError) -> [ConsumerRegistration] {
        try await perform(.expireConsumers) { () async throws(EventStreamingError) in
            try await base.expireConsumers()
        }
    }

    /// The consumers, unless a fault of ``Operation/consumers`` applies.
    public func consumers(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerInfo] {
        try await perform(.consumers) { () async throws(EventStreamingError) in
            try await base.consumers(of: subscription)
        }
    }

    /// The partitions, unless a fault of ``Operation/partitions`` applies.
    public func partitions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [PartitionInfo] {
        try await perform(.partitions) { () async throws(EventStreamingError) in
            try await base.partitions(of: subscription)
        }
    }

    /// Changes the number of partitions, unless a fault of ``Operation/repartition`` applies.
    public func repartition(
        _ subscription: SubscriptionID,
        into count: Int
    ) async throws(EventStreamingError) {
        try await perform(.repartition) { () async throws(EventStreamingError) in
            try await base.repartition(subscription, into: count)
        }
    }

    /// The positions of a subscription, unless a fault of ``Operation/progress`` applies.
    public func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress] {
        try await perform(.progress) { () async throws(EventStreamingError) in
            try await base.progress(of: subscription)
        }
    }
}

extension FaultInjectingStore: ConsumerOffsetStore {
    /// Moves a position, unless a fault of ``Operation/setOffset`` applies.
    public func setOffset(
        _ offset: StreamOffset,
        of consumer: ConsumerID?,
        in subscription: SubscriptionID,
        epoch: UInt64
    ) async throws(EventStreamingError) -> StreamOffset {
        try await perform(.setOffset) { () async throws(EventStreamingError) in
            try await base.setOffset(offset, of: consumer, in: subscription, epoch: epoch)
        }
    }

    /// The positions, unless a fault of ``Operation/positions`` applies.
    public func positions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerPosition] {
        try await perform(.positions) { () async throws(EventStreamingError) in
            try await base.positions(of: subscription)
        }
    }
}

extension FaultInjectingStore: DeadLetterStore {
    /// A page of dead letters, unless a fault of ``Operation/deadLetters`` applies.
    public func deadLetters(
        of subscription: SubscriptionID,
        from number: StreamOffset,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetter] {
        try await perform(.deadLetters) { () async throws(EventStreamingError) in
            try await base.deadLetters(of: subscription, from: number, limit: limit)
        }
    }

    /// Which dead letters can be delivered again, unless a fault of ``Operation/redrivable`` applies.
    public func redrivable(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try await perform(.redrivable) { () async throws(EventStreamingError) in
            try await base.redrivable(numbers, of: subscription)
        }
    }

    /// Delivers dead letters again, unless a fault of ``Operation/redrive`` applies.
    public func redrive(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try await perform(.redrive) { () async throws(EventStreamingError) in
            try await base.redrive(numbers, of: subscription, by: note)
        }
    }

    /// Gives dead letters up for good, unless a fault of ``Operation/discard`` applies.
    public func discard(
        _ numbers: [Range<StreamOffset>],
        of subscription: SubscriptionID,
        by note: AuditNote
    ) async throws(EventStreamingError) -> [StreamOffset] {
        try await perform(.discard) { () async throws(EventStreamingError) in
            try await base.discard(numbers, of: subscription, by: note)
        }
    }

    /// The audit, unless a fault of ``Operation/deadLetterAudit`` applies.
    public func deadLetterAudit(
        of subscription: SubscriptionID,
        from number: Int64,
        limit: Int
    ) async throws(EventStreamingError) -> [DeadLetterAuditEntry] {
        try await perform(.deadLetterAudit) { () async throws(EventStreamingError) in
            try await base.deadLetterAudit(of: subscription, from: number, limit: limit)
        }
    }
}
