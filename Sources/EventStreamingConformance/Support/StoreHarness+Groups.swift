import EventStreamingCore
import EventStreamingTesting

extension StoreHarness {
    /// A stream, a consumer group of four partitions and some of its members.
    func makeGroup(
        members: [String],
        partitions: Int = 4,
        change: (inout SubscriptionDefinition) -> Void = { _ in }
    ) async throws -> (stream: StreamName, group: SubscriptionDefinition, members: [ConsumerRegistration]) {
        let stream = try await makeStream()
        let group = try await makeSubscription("group", of: stream, .consumerGroup) {
            $0.partitions = partitions
            change(&$0)
        }
        var registrations: [ConsumerRegistration] = []
        for name in members {
            registrations.append(try await register(name, of: group, kind: .temporary))
        }
        return (stream, group, registrations)
    }

    /// The numbers of the partitions of each member that has any; fails unless each partition has one owner.
    func owners(
        of group: SubscriptionDefinition,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> [String: [Int]] {
        let partitions = try await store.partitions(of: group.id)
        try requireEqual(partitions.map(\.number), Array(0..<partitions.count), "partitions", file: file, line: line)
        var owners: [String: [Int]] = [:]
        for partition in partitions {
            guard let owner = partition.owner else {
                throw ConformanceFailure(message: "partition \(partition.number) has no owner", file: file, line: line)
            }
            owners[owner.rawValue, default: []].append(partition.number)
        }
        return owners
    }

    /// Texts, each the key of another partition, in order of the partitions.
    func keys(of count: Int) throws -> [String] {
        var keys: [Int: String] = [:]
        var number = 0
        while keys.count < count {
            let key = "key-\(number)"
            let hash = PartitionKey(header: key, correlationID: nil, id: MessageID(high: 0, low: 0))
            keys[hash.partition(of: count)] = keys[hash.partition(of: count)] ?? key
            number += 1
        }
        return keys.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Fails unless the consumer gets events at exactly these offsets in one lease, and returns it.
    @discardableResult
    func leaseExactly(
        _ expected: [Int64],
        as consumer: ConsumerRegistration,
        attempt: Int = 1,
        limit: Int = 100,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> Lease {
        let lease = try await lease(as: consumer, limit: limit, file: file, line: line)
        try requireEqual(lease.events.map(\.offset.rawValue), expected, "offsets delivered", file: file, line: line)
        try requireEqual(lease.attempt, attempt, "attempt of \(expected)", file: file, line: line)
        return lease
    }
}
