package import EventStreamingCore

extension Validation {
    /// Checks that a subscription keeps receipts.
    package static func checkKeepsReceipts(_ definition: SubscriptionDefinition) throws(EventStreamingError) {
        try checkKeepsReceipts(definition.id, definition.mode)
    }

    /// Checks that a subscription keeps receipts.
    ///
    /// - Parameter mode: Its mode; `nil` where that is of a newer version.
    package static func checkKeepsReceipts(
        _ subscription: SubscriptionID,
        _ mode: SubscriptionMode?
    ) throws(EventStreamingError) {
        guard mode != .readReceipt else { return }
        throw EventStreamingError(
            .unsupported,
            "Subscription '\(subscription)' has \(mode.map { "mode \($0)" } ?? "another mode"); only readReceipt keeps receipts."
        )
    }

    /// Checks what somebody asks about unread events.
    package static func check(_ timeout: Duration, limit: Int) throws(EventStreamingError) {
        try checkLimit(limit)
        guard timeout < .zero else { return }
        throw EventStreamingError(.invalidArgument, "The time-out is \(timeout); it must be at least zero.")
    }

    /// Checks that a subscription suits the stream that it follows.
    package static func check(
        _ definition: SubscriptionDefinition,
        on type: StreamType
    ) throws(EventStreamingError) {
        guard definition.mode == .readReceipt, type == .ephemeral else { return }
        throw EventStreamingError(
            .invalidArgument,
            "Subscription '\(definition.id)' keeps receipts, but stream '\(definition.stream)' is ephemeral and does not keep "
                + "events once they were delivered; use a persistent stream."
        )
    }
}

extension EventStreamingError {
    /// A user that is asked about and is not there.
    package static func unknownConsumer(_ consumer: ConsumerID, of subscription: SubscriptionID) -> Self {
        Self(.unknownConsumer, "Subscription '\(subscription)' has no consumer '\(consumer)'.")
    }
}
