public import EventStreamingCore

extension EventStreaming {
    /// The state of a declared stream, or of a subscription's dead-letter stream.
    ///
    /// - Throws: `EventStreamingError` with code `unknownStream` or `invalidName`, or what the store reports.
    public func metadata(of stream: String) async throws(EventStreamingError) -> StreamMetadata {
        let name = try StreamName(stream)
        try await engine.preparation.ready()
        return try await engine.store.metadata(of: name)
    }

    /// A page of a stream's events, beginning at `offset`.
    ///
    /// - Parameters:
    ///   - stream: The stream's name.
    ///   - offset: Where to begin.
    ///   - direction: Forward by default.
    ///   - limit: The most events to read, 1 to 10 000. 100 by default.
    /// - Returns: The events in the direction read; none when there are no more now. Fewer than `limit` where they are
    ///   large: the store in SQLite ends a page when it has 4 MiB of payloads.
    /// - Throws: `EventStreamingError` with code `unknownStream`, `invalidName`, `invalidArgument` or `offsetTrimmed`,
    ///   or what the store reports.
    public func read(
        _ stream: String,
        from offset: StreamOffset = .zero,
        direction: ReadDirection = .forward,
        limit: Int = 100
    ) async throws(EventStreamingError) -> [StoredEvent] {
        let name = try StreamName(stream)
        try Self.check(limit)
        try await engine.preparation.ready()
        return try await engine.store.read(name, from: offset, direction: direction, limit: limit)
    }

    /// Removes the events of a stream before `offset`. Positions of subscriptions that are behind move up.
    ///
    /// - Returns: How many events were removed.
    /// - Throws: `EventStreamingError` with code `unknownStream` or `invalidName`, or what the store reports.
    @discardableResult
    public func trim(_ stream: String, before offset: StreamOffset) async throws(EventStreamingError) -> Int {
        let name = try StreamName(stream)
        try await engine.preparation.ready()
        return try await engine.store.trim(name, before: offset)
    }

    /// Removes now what the stream's retention policy asks for, exactly that; the service does it in the background, too.
    ///
    /// - Returns: What was removed, and which subscriptions had not finished all of it.
    /// - Throws: `EventStreamingError` with code `unknownStream` or `invalidName`, or what the store reports.
    @discardableResult
    public func applyRetention(to stream: String) async throws(EventStreamingError) -> RetentionResult {
        let name = try StreamName(stream)
        try await engine.preparation.ready()
        return try await engine.applyRetention(to: name)
    }

    /// How far a subscription has come: one position where consumers share it, otherwise one for each.
    ///
    /// - Throws: `EventStreamingError` with code `unknownSubscription` or `invalidName`, or what the store reports.
    public func progress(of subscription: String) async throws(EventStreamingError) -> [SubscriptionProgress] {
        let id = try known(subscription)
        try await engine.preparation.ready()
        return try await engine.store.progress(of: id)
    }

    /// The consumers of a subscription, in every process that shares the store.
    ///
    /// - Throws: `EventStreamingError` with code `unknownSubscription` or `invalidName`, or what the store reports.
    public func consumers(of subscription: String) async throws(EventStreamingError) -> [ConsumerInfo] {
        let id = try known(subscription)
        try await engine.preparation.ready()
        return try await engine.store.consumers(of: id)
    }

    /// Removes a consumer for good, with its position; an ephemeral stream keeps nothing for it any more.
    ///
    /// - Returns: Whether there was one.
    /// - Throws: `EventStreamingError` with code `unknownSubscription` or `invalidName`, or what the store reports.
    @discardableResult
    public func removeConsumer(
        _ consumer: String,
        of subscription: String
    ) async throws(EventStreamingError) -> Bool {
        let (id, subscription) = (try ConsumerID(consumer), try known(subscription))
        try await engine.preparation.ready()
        return try await engine.store.removeConsumer(id, of: subscription)
    }

    func known(_ subscription: String) throws(EventStreamingError) -> SubscriptionID {
        let id = try SubscriptionID(subscription)
        guard engine.plans[id] != nil else { throw .unknownSubscription(id) }
        return id
    }

    static func check(_ limit: Int) throws(EventStreamingError) {
        guard (1...10_000).contains(limit) else {
            throw EventStreamingError(.invalidArgument, "The limit is \(limit); use 1 to 10000.")
        }
    }
}
