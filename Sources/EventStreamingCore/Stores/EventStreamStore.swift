/// Keeps streams, and hands their events out to consumers.
///
/// Every stream is one dense, ordered log of offsets 0…n−1. A queue is the same log seen through a subscription: its
/// events are leased in ranges, and an ephemeral stream drops what every subscription has finished with.
///
/// ## For implementers
///
/// All calls may come from many tasks at once. Every call is atomic: it has its whole effect or none, and a reader
/// never sees a part. When a call throws, nothing was changed, except with code `storeUnavailable` or `timedOut`, where
/// the outcome is unknown. Cancellation before the effect throws code `cancelled`; after it, the result is returned.
/// Nothing a caller passes may trap. `EventStreamingConformance` has the checks that a store must pass.
public protocol EventStreamStore: Sendable {
    /// The form in which the store wants payloads. The engine encodes only for ``PayloadForm/encoded``.
    var payloadForm: PayloadForm { get }

    /// Creates the stream, or does nothing when it exists with the same definition. Capacity, overflow policy and
    /// retention of an existing stream are changed to those given; nothing is removed by that.
    ///
    /// - Throws: `streamConflict` when a stream of that name exists with another type, `invalidArgument` for a capacity
    ///   below 1, for limits of the retention that are not positive, and for a retention of an ephemeral stream.
    func createStream(_ definition: StreamDefinition) async throws(EventStreamingError)

    /// Appends the events to one stream: all of them, contiguous and in order, or none.
    ///
    /// The append is as durable as the store ever makes it when this returns. Ids that are all in the stream already,
    /// contiguous, in this order and with this content, are a repetition: nothing changes and the first result is
    /// returned, whatever `expectedVersion` says. This holds for as long as the stream keeps the events.
    ///
    /// - Throws: `unknownStream`; `wrongExpectedVersion` with the actual length; `eventIDConflict` when only some ids
    ///   are known, or their content differs; `streamFull`; `invalidArgument` for no events or an id used twice.
    func append(_ append: StreamAppend) async throws(EventStreamingError) -> AppendResult

    /// Makes many appends in one group, each with its own result, as if they had been made one after the other. A
    /// durable store commits the group once. One failed append does not keep the others from succeeding.
    ///
    /// - Returns: One result for each append, in order.
    func append(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>]

    /// Reads a page of at most `limit` events, beginning with the one at `offset` where it is kept, otherwise with the
    /// next one in `direction`. An empty page means that there are no more events in that direction now.
    ///
    /// A page read after an append returned has its events. The page ends early rather than show a part of an append
    /// that is still being made. It may also end early, but never empty, when its events are large, so that nobody needs
    /// the memory for `limit` of the largest: only an empty page is the end.
    ///
    /// - Throws: `unknownStream`; `invalidArgument` for a limit below 1; `offsetTrimmed` when reading forward from an
    ///   offset whose event was trimmed, so that nobody passes over lost events unawares.
    func read(
        _ stream: StreamName,
        from offset: StreamOffset,
        direction: ReadDirection,
        limit: Int
    ) async throws(EventStreamingError) -> [StoredEvent]

    /// The stream's state.
    ///
    /// - Throws: `unknownStream`.
    func metadata(of stream: StreamName) async throws(EventStreamingError) -> StreamMetadata

    /// Resolves a position to the offset where reading would begin now.
    ///
    /// - Throws: `unknownStream`; `unknownEvent` when the position is an event that the stream does not keep.
    func offset(of position: StartPosition, in stream: StreamName) async throws(EventStreamingError) -> StreamOffset

    /// Removes the events before `offset`, exactly those. Positions behind move up to it, and tell how many events they
    /// missed: ``SubscriptionProgress/missed``, ``Lease/missed``.
    ///
    /// - Returns: How many events were removed.
    /// - Throws: `unknownStream`.
    func trim(_ stream: StreamName, before offset: StreamOffset) async throws(EventStreamingError) -> Int

    /// Removes what the stream's ``StreamDefinition/retention`` asks for, exactly that: the oldest events, until those
    /// left are no more and no larger than the limits say, and none of them is older than the maximum age now. Nothing
    /// else ever removes events because of a retention policy, so a stream may hold more between two calls.
    ///
    /// The removal is a ``trim(_:before:)``: positions behind move up, but not silently. The result says which
    /// subscriptions had not finished all of it. A store may give the space back later.
    ///
    /// - Throws: `unknownStream`.
    func applyRetention(to stream: StreamName) async throws(EventStreamingError) -> RetentionResult

    /// Leases the next events to a consumer: first ranges that were given back and are due, then new ones. What was given
    /// back without a delay comes first, in order of its offsets, whenever that was; the rest in order of time and
    /// offset. Events that the filter passes over are finished without being delivered.
    ///
    /// At most once, the events are finished before this returns. Otherwise nobody else gets them until the lease is
    /// settled, released or expired. Also a sign of life of the consumer.
    ///
    /// With a settlement, this does first what ``settle(_:)`` does, both in one change: a durable store commits once, and
    /// the settlement is as durable as ``settle(_:)`` makes it, whether events are leased or not. When the settlement is
    /// refused, nothing is leased. After any other error the settlement may have been recorded or not; what was leased
    /// comes again, at once where its events could not be read.
    ///
    /// - Parameters:
    ///   - consumer: The consumer, as registered.
    ///   - limit: The most events to lease. A range given back by another consumer may be split.
    ///   - settlement: What became of an earlier lease of this registration, if anything is to be recorded.
    /// - Throws: `consumerReplaced`; `unknownConsumer` when the registration ended; `invalidArgument` for a limit
    ///   below 1, and for a settlement of another registration; what ``settle(_:)`` throws.
    func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?
    ) async throws(EventStreamingError) -> DequeueResult

    /// Records what became of a lease's events: finished, given back, or put into the dead-letter stream. The position
    /// moves up to the first offset that is not finished.
    ///
    /// - Throws: `leaseExpired` when the lease has ended; `alreadySettled` when one of the offsets was settled before;
    ///   `invalidArgument` for offsets outside the lease, and for those marked as read that are not completed with it;
    ///   `consumerReplaced`. Nothing is changed then.
    func settle(_ settlement: Settlement) async throws(EventStreamingError)

    /// Begins to tell `observer` about changes. Holds it weakly; an observer that is gone is forgotten.
    func addObserver(_ observer: any StreamObserver)

    /// How often to ask for news besides, because hints to observers can get lost; `nil`, the default, where every change
    /// is told of.
    var polling: PollingPolicy? { get }
}

// MARK: - Convenience

extension EventStreamStore {
    /// No polling: observers are told of every change.
    public var polling: PollingPolicy? { nil }

    /// One append after the other; for stores that gain nothing from a group.
    public func append(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        var results: [Result<AppendResult, EventStreamingError>] = []
        results.reserveCapacity(group.count)
        for append in group {
            do throws(EventStreamingError) {
                results.append(.success(try await self.append(append)))
            } catch {
                results.append(.failure(error))
            }
        }
        return results
    }

    /// Puts events into a queue: an append without an expectation.
    ///
    /// - Throws: as ``append(_:)-(StreamAppend)``.
    public func enqueue(_ events: [NewEvent], to stream: StreamName) async throws(EventStreamingError) -> AppendResult {
        try await append(StreamAppend(stream: stream, events: events))
    }

    /// Reads a page of a stream's events.
    ///
    /// - Throws: as ``read(_:from:direction:limit:)``.
    public func readStream(
        _ stream: StreamName,
        from offset: StreamOffset = .zero,
        direction: ReadDirection = .forward,
        limit: Int = 100
    ) async throws(EventStreamingError) -> [StoredEvent] {
        try await read(stream, from: offset, direction: direction, limit: limit)
    }

    /// The number of events ever appended, those that are gone included.
    ///
    /// - Throws: as ``metadata(of:)``.
    public func streamLength(of stream: StreamName) async throws(EventStreamingError) -> Int64 {
        try await metadata(of: stream).length
    }

    /// Leases the next events to a consumer.
    ///
    /// - Throws: as ``dequeue(as:limit:settling:)``.
    public func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int
    ) async throws(EventStreamingError) -> DequeueResult {
        try await dequeue(as: consumer, limit: limit, settling: nil)
    }

    /// Finishes offsets of a lease.
    ///
    /// - Throws: as ``settle(_:)``.
    public func acknowledge(_ offsets: Range<StreamOffset>, of lease: Lease) async throws(EventStreamingError) {
        try await settle(Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [offsets]))
    }

    /// Finishes a whole lease.
    ///
    /// - Throws: as ``settle(_:)``.
    public func acknowledge(_ lease: Lease) async throws(EventStreamingError) {
        try await acknowledge(lease.offsets, of: lease)
    }

    /// Gives offsets of a lease back as failed.
    ///
    /// - Throws: as ``settle(_:)``.
    public func nack(
        _ offsets: Range<StreamOffset>,
        of lease: Lease,
        action: Rejection.Action = .retry(after: nil),
        reason: String
    ) async throws(EventStreamingError) {
        let rejection = Rejection(offsets: offsets, action: action, reason: reason)
        try await settle(Settlement(of: lease.holder, leaseEpoch: lease.epoch, rejections: [rejection]))
    }

    /// Gives everything that is unsettled in a lease back, without counting an attempt.
    ///
    /// - Throws: as ``settle(_:)``.
    public func release(_ lease: Lease) async throws(EventStreamingError) {
        try await settle(Settlement(of: lease.holder, leaseEpoch: lease.epoch, releasesRest: true))
    }
}
