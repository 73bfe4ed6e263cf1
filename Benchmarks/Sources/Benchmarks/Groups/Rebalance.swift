import EventStreaming
import EventStreamingPostgreSQL
import Synchronization

extension PostgreSQLTables {
    /// How long the members' leases last, in seconds.
    private static let lease = 2.0

    static var rebalance: Benchmark {
        Benchmark(
            "rebalance",
            "one of 8 members with 64 partitions dies, until the last partition moves again, against the lease of 2 s",
            target: Target("at most the lease + 1 s") { $0.value <= $0.baseline + 1 }
        ) { rounds in
            let pauses = Mutex<[Double]>([])
            var result = try await rounds.compare(unit: "s") {
                let (dead, others) = try await withEmpty { try await measureRebalance($0) }
                pauses.withLock { $0.append(others) }
                return dead
            } with: {
                lease
            }
            result.extras.append(("others", pauses.withLock { $0.max() ?? 0 }))
            return result
        }
    }

    /// - Returns: The longest pause of a partition after a member died: of those it had, and of all others.
    private static func measureRebalance(_ tables: PostgreSQLTables) async throws -> (Double, Double) {
        let partitions = 64
        let moves = PartitionMoves(partitions)
        let members = try (0..<7).map { _ in
            try GroupMember.make(tables.storage(connections: 3), partitions: partitions) { subscription in
                subscription.visibilityTimeout = .seconds(lease)
                subscription.consumerTimeout = .seconds(lease)
                subscription.handle(KeyedPacket.self) { _, delivery in
                    if let partition = delivery.partition { moves.note(partition) }
                }
            }
        }
        return try await GroupMember.run(members) { streaming in
            try await streaming.waitForOwners(7)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await emit(to: streaming) }
                defer { group.cancelAll() }
                return try await death(in: streaming, of: tables, moves)
            }
        }
    }

    /// Emits until the task is cancelled, so that each partition gets events all the time.
    private static func emit(to streaming: EventStreaming) async throws {
        var number = 0
        while !Task.isCancelled {
            try await streaming.emitter.emit((0..<200).map { KeyedPacket(key: $0 * 7 + number % 7, number: number) })
            number += 1
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Lets an eighth member come, work for a while, and die.
    private static func death(
        in streaming: EventStreaming,
        of tables: PostgreSQLTables,
        _ moves: PartitionMoves
    ) async throws -> (Double, Double) {
        let store = try tables.storage.makeStore(in: .init(clock: SystemClock()))
        let dead = try await join(store)
        try await streaming.waitForOwners(8)
        try await work(as: dead, in: store, for: 1)
        let before = try await streaming.partitions(of: GroupMember.subscription)
        // It holds something when it dies.
        _ = try await lease(as: dead, in: store)
        moves.restart()
        let lost = Set(before.filter { $0.owner == dead.consumer }.map(\.number))
        guard lost.count == before.count / 8 else { throw Problem("The dead had \(lost.count) partitions.") }
        try await moves.wait(for: lost)
        let after = try await streaming.partitions(of: GroupMember.subscription)
        for (old, new) in zip(before, after) where !lost.contains(old.number) && old.owner != new.owner {
            throw Problem("Partition \(old.number) moved without cause.")
        }
        return moves.pauses(lost)
    }

    private func storage(connections: Int) -> EventStreamingStorage {
        EventStreamingStorage { environment throws(EventStreamingError) in
            var options = PostgreSQLOptions()
            options.schema = try SchemaName(schema)
            options.maximumConnections = connections
            return try PostgreSQLEventStreamStore(url: url, options: options, clock: environment.clock)
        }
    }

    // MARK: - The member that dies

    /// A member without a service: it shows no life by itself.
    private static func join(_ store: any EventStreamingStore) async throws -> ConsumerRegistration {
        try await store.registerConsumer(
            try ConsumerID("mortal"), of: try SubscriptionID(GroupMember.subscription), kind: .temporary, start: nil)
    }

    private static func lease(as member: ConsumerRegistration, in store: any EventStreamingStore) async throws -> Lease
    {
        let watch = Stopwatch()
        while watch.seconds < 10 {
            if case .lease(let lease) = try await store.dequeue(as: member, limit: 20) { return lease }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw Problem("There was nothing to hold.")
    }

    private static func work(
        as member: ConsumerRegistration,
        in store: any EventStreamingStore,
        for seconds: Double
    ) async throws {
        let watch = Stopwatch()
        while watch.seconds < seconds {
            let lease = try await lease(as: member, in: store)
            try await store.settle(Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets]))
        }
    }
}

/// When events of each partition were handled.
private final class PartitionMoves: Sendable {
    private struct State {
        var began = ContinuousClock.now
        var last: [ContinuousClock.Instant?]
        var longest: [Duration]
        var first: [Duration?]
    }

    private let state: Mutex<State>

    init(_ partitions: Int) {
        state = Mutex(
            State(
                last: Array(repeating: nil, count: partitions),
                longest: Array(repeating: .zero, count: partitions),
                first: Array(repeating: nil, count: partitions)
            )
        )
    }

    func note(_ partition: Int) {
        let now = ContinuousClock.now
        state.withLock { state in
            if state.first[partition] == nil {
                state.first[partition] = now - state.began
            }
            if let last = state.last[partition] {
                state.longest[partition] = max(state.longest[partition], now - last)
            }
            state.last[partition] = now
        }
    }

    /// From here on pauses are measured.
    func restart() {
        state.withLock { state in
            state.began = .now
            for partition in state.first.indices {
                state.first[partition] = nil
                state.longest[partition] = .zero
            }
        }
    }

    func wait(for partitions: Set<Int>) async throws {
        let watch = Stopwatch()
        while watch.seconds < 60 {
            if state.withLock({ state in partitions.allSatisfy { state.first[$0] != nil } }) { return }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw Problem("Not every partition moved again within a minute.")
    }

    /// The longest pause of these, and of the others, in seconds.
    func pauses(_ partitions: Set<Int>) -> (Double, Double) {
        state.withLock { state in
            let lost = partitions.compactMap { state.first[$0] }.max() ?? .zero
            let others = state.longest.indices.filter { !partitions.contains($0) }.map { state.longest[$0] }.max()
            return (lost / .seconds(1), (others ?? .zero) / .seconds(1))
        }
    }
}
