import EventStreaming
import EventStreamingInMemory

/// An event of a key.
struct KeyedPacket: Event {
    typealias Process = BenchmarkWorkflow
    static let eventType = "keyed-packet"

    var key: Int
    var number: Int

    var partitionKey: String? { "key-\(key)" }
    var payloadSize: Int? { 16 }
}

/// A service that is a member of a consumer group.
enum GroupMember {
    static let subscription = "group"

    static func make(
        _ storage: EventStreamingStorage,
        partitions: Int,
        _ configure: (inout SubscriptionConfiguration) -> Void
    ) throws -> EventStreaming {
        try EventStreaming(storage: storage) { streaming in
            streaming.addStream(BenchmarkWorkflow.self) { stream in
                stream.name = "events"
                stream.type = .persistent
            }
            streaming.addEvent(KeyedPacket.self)
            streaming.addSubscription(subscription) { subscription in
                subscription.stream(BenchmarkWorkflow.self)
                subscription.mode = .consumerGroup
                subscription.partitions = partitions
                configure(&subscription)
            }
        }
    }

    /// Runs `body` with so many members of one group.
    static func run<Result: Sendable>(
        _ members: [EventStreaming],
        _ body: @escaping @Sendable (EventStreaming) async throws -> Result
    ) async throws -> Result {
        guard let first = members.first else { throw Problem("A group without members.") }
        return try await withEventStreaming(first) { first in
            let rest = Array(members.dropFirst())
            return rest.isEmpty ? try await body(first) : try await run(rest, body)
        }
    }
}

extension EventStreaming {
    /// Waits until every partition has an owner, and so many members have some.
    func waitForOwners(_ count: Int) async throws {
        let watch = Stopwatch()
        while watch.seconds < 60 {
            let owners = try await partitions(of: GroupMember.subscription).map(\.owner)
            if !owners.contains(nil), Set(owners).count == count { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw Problem("There are no \(count) members that own partitions.")
    }
}
