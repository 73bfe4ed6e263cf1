import EventStreamingCore

/// What the store says about a subscription. Costs a look at its leases, and the reading of one event.
struct SubscriptionSnapshot: Sendable {
    var positions: [SubscriptionProgress]
    var consumers: [ConsumerInfo]
    var partitions: [PartitionInfo]
    /// When the event at the slowest position was appended; `nil` when all are at the end.
    var oldest: Timestamp?

    init(
        positions: [SubscriptionProgress],
        consumers: [ConsumerInfo],
        partitions: [PartitionInfo] = [],
        oldest: Timestamp? = nil
    ) {
        self.positions = positions
        self.consumers = consumers
        self.partitions = partitions
        self.oldest = oldest
    }

    /// Asks the store.
    init(
        of definition: SubscriptionDefinition,
        in store: any EventStreamingStore
    ) async throws(EventStreamingError) {
        positions = try await store.progress(of: definition.id)
        consumers = try await store.consumers(of: definition.id)
        partitions = definition.mode == .consumerGroup ? try await store.partitions(of: definition.id) : []
        oldest = try await Self.oldest(of: definition.stream, positions, store)
    }

    private static func oldest(
        of stream: StreamName,
        _ positions: [SubscriptionProgress],
        _ store: any EventStreamingStore
    ) async throws(EventStreamingError) -> Timestamp? {
        guard let slowest = positions.filter({ $0.lag > 0 }).map(\.position).min() else { return nil }
        do throws(EventStreamingError) {
            return try await store.read(stream, from: slowest, direction: .forward, limit: 1).first?.timestamp
        } catch  where error.code == .offsetTrimmed {
            // Removed since the look at the position.
            return nil
        }
    }

    var connected: [ConsumerID] { consumers.filter(\.isConnected).map(\.id) }

    /// When anybody was seen last.
    var lastSeen: Timestamp? { consumers.map(\.lastSeenAt).max() }

    func measures(at time: Timestamp) -> SubscriptionHealth.Measures {
        SubscriptionHealth.Measures(
            time: time,
            consumers: connected.count,
            lag: positions.map(\.lag).max() ?? 0,
            oldest: oldest,
            inFlight: positions.reduce(0) { $0 + $1.inFlight },
            waiting: positions.reduce(0) { $0 + $1.waiting },
            deadLetters: positions.reduce(0) { $0 + $1.deadLetters },
            parkedKeys: positions.reduce(0) { $0 + $1.parkedKeys }
        )
    }
}
