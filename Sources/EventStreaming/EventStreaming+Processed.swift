public import EventStreamingCore
import Logging

extension EventStreaming {
    /// Forgets that events were processed at a position of a subscription that is exactly once, so that they are processed
    /// again when they are delivered again: after ``setPosition(of:consumer:to:epoch:)`` moved the position back, for
    /// example, which alone would pass them over.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - consumer: The consumer's name where each has a position of its own; `nil` where they share one.
    ///   - events: The events' ids; `nil` for all that were ever processed there.
    /// - Returns: How many were forgotten.
    /// - Throws: `EventStreamingError` with code `unknownSubscription`, `unknownConsumer` where the consumer is missing or
    ///   there is none, `invalidName`, or what the store reports.
    @discardableResult
    public func forgetProcessed(
        by subscription: String,
        consumer: String? = nil,
        _ events: [MessageID]? = nil
    ) async throws(EventStreamingError) -> Int {
        let id = try known(subscription)
        let consumer = try consumer.map { name throws(EventStreamingError) in try ConsumerID(name) }
        guard let plan = engine.plans[id] else { throw .unknownSubscription(id) }
        guard plan.definition.mode.sharesPosition == (consumer == nil) else {
            throw .unknownPosition(of: consumer, in: id)
        }
        try await engine.preparation.ready()
        let processor = plan.definition.processor(of: consumer)
        let count = try await engine.store.forgetProcessed(events, by: processor)
        engine.options.logger.notice(
            "Marks of processed events were removed; the events are processed again when they are delivered again.",
            metadata: [
                LogKey.subscription: "\(id)", LogKey.consumer: "\(consumer.map(\.rawValue) ?? "-")",
                LogKey.count: "\(count)",
            ]
        )
        return count
    }
}
