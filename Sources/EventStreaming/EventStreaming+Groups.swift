public import EventStreamingCore
import Logging

extension EventStreaming {
    /// The partitions of a consumer group, in order, each with its owner; none for a subscription of another mode.
    ///
    /// - Throws: `EventStreamingError` with code `unknownSubscription` or `invalidName`, or what the store reports.
    public func partitions(of subscription: String) async throws(EventStreamingError) -> [PartitionInfo] {
        let id = try known(subscription)
        try await engine.preparation.ready()
        return try await engine.store.partitions(of: id)
    }

    /// Shares out the events of a consumer group into another number of partitions: an administrator's act.
    ///
    /// What members hold is taken back and delivered again, so that no two have events of one key; handlers that are at
    /// work finish what they do, in vain. A service that is configured for another number does not start any more: its
    /// preparation throws `subscriptionConflict`. So: call this, then start the services with the new number.
    ///
    /// - Parameters:
    ///   - subscription: The name of the group.
    ///   - count: The number of partitions from now on, 1 to 1024.
    /// - Throws: `EventStreamingError` with code `unsupported` for a subscription that is no group, `invalidArgument`,
    ///   `unknownSubscription` or `invalidName`, or what the store reports.
    public func repartition(_ subscription: String, into count: Int) async throws(EventStreamingError) {
        let id = try known(subscription)
        try await engine.preparation.ready()
        try await engine.store.repartition(id, into: count)
        engine.options.logger.notice(
            "The number of partitions of a consumer group was changed.",
            metadata: [LogKey.subscription: "\(id)", LogKey.count: "\(count)"]
        )
    }
}
