/// Shows how far consumers have come, and moves their positions where somebody decides so.
///
/// Positions move by themselves as events are settled. Moving one is an administrator's act: to deliver events again, or
/// to pass over some. The rules for implementers are those of ``EventStreamStore``.
public protocol ConsumerOffsetStore: Sendable {
    /// The position of a consumer: every event before this offset is finished.
    ///
    /// - Parameters:
    ///   - consumer: The consumer; `nil` for the position that competing consumers share.
    ///   - subscription: The subscription.
    /// - Throws: `unknownSubscription`; `unknownConsumer` where there is no such position.
    func offset(
        of consumer: ConsumerID?,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> StreamOffset

    /// Moves a position, forward or back, unless somebody registered since the caller looked.
    ///
    /// Every lease at the position ends, and what waited there to be delivered again is forgotten: delivery goes on at
    /// the new position, with a first attempt. Only events that return from the dead letters keep what they have.
    /// Registrations stay. A position is never before the oldest event kept, nor after the stream's end.
    ///
    /// - Parameters:
    ///   - offset: The first offset that is not finished; kept within what the stream has.
    ///   - consumer: The consumer; `nil` for the position that competing consumers share.
    ///   - subscription: The subscription.
    ///   - epoch: The ``ConsumerPosition/epoch`` that the caller saw.
    /// - Returns: Where the position is now.
    /// - Throws: `consumerReplaced` when there is a newer registration at this position; `unknownSubscription`;
    ///   `unknownConsumer` where there is no such position.
    func setOffset(
        _ offset: StreamOffset,
        of consumer: ConsumerID?,
        in subscription: SubscriptionID,
        epoch: UInt64
    ) async throws(EventStreamingError) -> StreamOffset

    /// All positions of a subscription, in order of the consumers' names; one without a name where consumers compete.
    ///
    /// - Throws: `unknownSubscription`.
    func positions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerPosition]
}

/// A position in a stream, and who may have it.
public struct ConsumerPosition: Sendable, Hashable {
    /// The consumer; `nil` for the position that competing consumers share.
    public let consumer: ConsumerID?
    /// Every event before this offset is finished.
    public let offset: StreamOffset
    /// The newest registration at this position; 0 when there never was one.
    public let epoch: UInt64

    /// Creates a description of a position.
    public init(consumer: ConsumerID?, offset: StreamOffset, epoch: UInt64) {
        self.consumer = consumer
        self.offset = offset
        self.epoch = epoch
    }
}

// MARK: - Convenience

extension ConsumerOffsetStore {
    /// One of the ``positions(of:)``.
    public func offset(
        of consumer: ConsumerID?,
        in subscription: SubscriptionID
    ) async throws(EventStreamingError) -> StreamOffset {
        let positions = try await positions(of: subscription)
        guard let position = positions.first(where: { $0.consumer == consumer }) else {
            throw .unknownPosition(of: consumer, in: subscription)
        }
        return position.offset
    }
}

extension EventStreamingError {
    /// A position that is not there.
    package static func unknownPosition(of consumer: ConsumerID?, in subscription: SubscriptionID) -> Self {
        guard let consumer else {
            return Self(
                .unknownConsumer,
                "In subscription '\(subscription)' every consumer has a position of its own; say which one is meant."
            )
        }
        return Self(.unknownConsumer, "Consumer '\(consumer)' has no position in subscription '\(subscription)'.")
    }
}
