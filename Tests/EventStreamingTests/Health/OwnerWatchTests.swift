import Testing

@testable import EventStreaming

@Suite("Counting changes of owners")
struct OwnerWatchTests {
    private func consumer(_ name: String, epoch: UInt64, isConnected: Bool = true) throws -> ConsumerInfo {
        let time = Timestamp(nanosecondsSinceEpoch: 0)
        return ConsumerInfo(
            id: try ConsumerID(name), kind: .durable, epoch: epoch, isConnected: isConnected, registeredAt: time,
            lastSeenAt: time, inFlight: 0)
    }

    private func snapshot(_ consumers: [ConsumerInfo], _ epochs: [UInt64] = []) -> SubscriptionSnapshot {
        SubscriptionSnapshot(
            positions: [], consumers: consumers,
            partitions: epochs.enumerated().map { PartitionInfo(number: $0.offset, owner: nil, epoch: $0.element) })
    }

    @Test("consumers that come, come back, are replaced or go")
    func consumers() throws {
        var watch = OwnerWatch()
        let steps: [([ConsumerInfo], Int)] = [
            ([try consumer("a", epoch: 1)], 0),
            ([try consumer("a", epoch: 1)], 0),
            ([try consumer("a", epoch: 1), try consumer("b", epoch: 2)], 1),
            ([try consumer("a", epoch: 3), try consumer("b", epoch: 2)], 1),
            ([try consumer("a", epoch: 3, isConnected: false)], 2),
            ([try consumer("a", epoch: 3, isConnected: false)], 0),
            ([try consumer("a", epoch: 4)], 1),
            ([], 1),
        ]
        for (consumers, expected) in steps {
            #expect(watch.countChanges(in: snapshot(consumers)) == expected)
        }
    }

    @Test("partitions that change hands, each as often as it did")
    func partitions() throws {
        var watch = OwnerWatch()
        let members = [try consumer("a", epoch: 1)]
        let steps: [([UInt64], Int)] = [
            ([1, 1, 1], 0), ([1, 2, 4], 4), ([1, 2, 4], 0), ([1, 2, 4, 9], 0), ([1, 2, 4, 10], 1), ([0, 2, 4, 10], 0),
        ]
        for (epochs, expected) in steps {
            #expect(watch.countChanges(in: snapshot(members, epochs)) == expected)
        }
    }
}
