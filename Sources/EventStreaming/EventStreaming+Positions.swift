public import EventStreamingCore
import Logging

extension EventStreaming {
    /// The positions of a subscription, each with the newest registration at it: one where consumers share it, otherwise one
    /// for each.
    ///
    /// - Throws: `EventStreamingError` with code `unknownSubscription` or `invalidName`, or what the store reports.
    public func positions(of subscription: String) async throws(EventStreamingError) -> [ConsumerPosition] {
        let id = try known(subscription)
        try await engine.preparation.ready()
        return try await engine.store.positions(of: id)
    }

    /// Moves a position of a subscription, forward or back: an administrator's decision to deliver events again, or to
    /// pass over some.
    ///
    /// What is leased at the position is taken back and what waits to be delivered again is forgotten; consumers go on at
    /// the new position. Handlers that are at work finish what they do, in vain. Exactly once, events that were processed
    /// before are passed over also after the position was moved back; see ``forgetProcessed(by:consumer:_:)``.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - consumer: The consumer's name in broadcast mode; `nil` in exclusive mode.
    ///   - position: Where to begin. What is outside of what the stream keeps becomes its oldest event, or its end.
    ///   - epoch: The `ConsumerPosition.epoch` for which this was decided; by default whatever it is now.
    /// - Returns: Where the position is now.
    /// - Throws: `EventStreamingError` with code `consumerReplaced` when somebody registered since; `unknownSubscription`,
    ///   `unknownConsumer`, `invalidName`; or what the store reports.
    @discardableResult
    public func setPosition(
        of subscription: String,
        consumer: String? = nil,
        to position: StartPosition,
        epoch: UInt64? = nil
    ) async throws(EventStreamingError) -> StreamOffset {
        let id = try known(subscription)
        let consumer = try consumer.map { name throws(EventStreamingError) in try ConsumerID(name) }
        try await engine.preparation.ready()
        guard let plan = engine.plans[id] else { throw .unknownSubscription(id) }
        let old = try await engine.store.positions(of: id).first { $0.consumer == consumer }
        guard let old else { throw .unknownPosition(of: consumer, in: id) }
        let target = try await engine.store.offset(of: position, in: plan.definition.stream)
        let new = try await engine.store.setOffset(target, of: consumer, in: id, epoch: epoch ?? old.epoch)
        engine.options.logger.notice(
            "The position of a subscription was moved.",
            metadata: [
                LogKey.subscription: "\(id)", LogKey.consumer: "\(consumer.map(\.rawValue) ?? "-")",
                "from": "\(old.offset)", "to": "\(new)",
            ]
        )
        return new
    }
}
