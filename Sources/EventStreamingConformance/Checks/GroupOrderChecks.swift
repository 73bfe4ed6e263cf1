import EventStreamingCore
import EventStreamingTesting

/// Events of one key come one after the other, whoever of a consumer group gets them.
enum GroupOrderChecks {
    static let all: [StoreCheck] = [
        StoreCheck("group order: the next of a key waits for the one before") { harness in
            let (stream, _, members) = try await harness.makeGroup(members: ["a"])
            try await harness.append(keys: ["x", "y"], to: stream)
            let first = try await harness.leaseExactly([0], as: members[0], limit: 1)
            try await harness.append(keys: ["x", "z"], to: stream)
            try await harness.leaseExactly([1, 3], as: members[0])
            try await harness.requireNothing(for: members[0])
            try await harness.store.acknowledge(first)
            try await harness.leaseExactly([2], as: members[0])
        },
        StoreCheck("group order: what is behind a failed event comes after it, other keys do not wait") { harness in
            let (stream, _, members) = try await harness.makeGroup(members: ["a"])
            try await harness.append(keys: ["x", "y", "x", "y"], to: stream)
            let lease = try await harness.leaseExactly([0, 1, 2, 3], as: members[0])
            try await harness.store.nack(offsets(0, 1), of: lease, action: .retry(after: .seconds(5)), reason: "no")
            try await requireError(.alreadySettled, .leaseExpired, from: "finishing what is behind") {
                try await harness.store.acknowledge(offsets(2, 3), of: lease)
            }
            try await harness.store.acknowledge(offsets(1, 2), of: lease)
            try await harness.store.acknowledge(offsets(3, 4), of: lease)
            let due = try await harness.requireNothing(for: members[0])
            try requireEqual(due, harness.clock.uptime + .seconds(5), "when to ask again")
            harness.clock.advance(by: .seconds(5))
            let again = try await harness.leaseExactly([0], as: members[0], attempt: 2)
            try await harness.store.acknowledge(again)
            try await harness.leaseExactly([2], as: members[0])
        },
        StoreCheck("group order: what is behind a dead letter goes on") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a"])
            try await harness.append(keys: ["x", "x", "y"], to: stream)
            let lease = try await harness.leaseExactly([0, 1, 2], as: members[0])
            try await harness.store.nack(offsets(0, 1), of: lease, action: .deadLetter, reason: "poison")
            try await harness.store.acknowledge(offsets(2, 3), of: lease)
            let next = try await harness.leaseExactly([1], as: members[0])
            try await harness.store.acknowledge(next)
            try await harness.requirePosition(3, of: group)
            try requireEqual(try await harness.deadLetters(of: group).map(\.event.offset.rawValue), [0], "letters")
        },
        StoreCheck("group order: an event that returns from the dead letters is in order with its key") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a"])
            try await harness.append(keys: ["x"], to: stream)
            try await harness.giveUpNext(as: members[0])
            _ = try await harness.store.redrive(offsets(0, 1), of: group.id)
            try await harness.append(keys: ["x", "y"], to: stream)
            let letter = try await harness.leaseExactly([0], as: members[0])
            try require(letter.isRedriven, "the lease does not say that its event is redriven")
            try await harness.leaseExactly([2], as: members[0])
            try await harness.requireNothing(for: members[0])
            try await harness.store.acknowledge(letter)
            try await harness.leaseExactly([1], as: members[0])
        },
        StoreCheck("group order: a new owner waits for what the old one holds") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a"])
            let keys = try harness.keys(of: 4)
            try await harness.append(keys: keys, to: stream)
            let lease = try await harness.leaseExactly([0, 1, 2, 3], as: members[0])
            try await harness.append(keys: keys, to: stream)
            let second = try await harness.register("b", of: group)
            let moved = try await harness.owners(of: group)["b"] ?? []
            try requireEqual(moved.count, 2, "partitions of the new member")
            try await harness.requireNothing(for: second)
            let held = try await harness.store.partitions(of: group.id).filter { $0.previousOwner != nil }
            try requireEqual(held.map(\.number), moved, "partitions that wait for their old owner")
            // Settled by the old owner, one by one: the new one gets what becomes free.
            try await harness.store.acknowledge(offsets(Int64(moved[0]), Int64(moved[0]) + 1), of: lease)
            let first = try await harness.leaseExactly([Int64(moved[0]) + 4], as: second)
            try await harness.store.acknowledge(first)
            try await harness.store.acknowledge(offsets(Int64(moved[1]), Int64(moved[1]) + 1), of: lease)
            try await harness.leaseExactly([Int64(moved[1]) + 4], as: second)
        },
        StoreCheck("group order: a new owner goes on when the lease of the old one has expired") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a"])
            let keys = try harness.keys(of: 4)
            try await harness.append(keys: keys, to: stream)
            let lease = try await harness.leaseExactly([0, 1, 2, 3], as: members[0])
            let second = try await harness.register("b", of: group)
            let until = try await harness.requireNothing(for: second)
            try requireEqual(until, harness.clock.uptime + .seconds(30), "when to ask again")
            harness.clock.advance(by: .seconds(30))
            let moved = try await harness.owners(of: group)["b"] ?? []
            try await harness.leaseExactly(moved.map { Int64($0) }, as: second, attempt: 2)
            try await requireError(.leaseExpired, from: "the old owner, late") {
                try await harness.store.acknowledge(lease)
            }
        },
        StoreCheck("group order: keys come from headers, workflows, or the event itself") { harness in
            let (stream, _, members) = try await harness.makeGroup(members: ["a"], partitions: 1)
            let byHeader = try harness.event(of: "k", isHeader: true)
            let byWorkflow = try harness.event(of: "k")
            let alone = [harness.event(), harness.event()]
            _ = try await harness.store.enqueue([byHeader, byWorkflow] + alone, to: stream)
            // Of one key: the second waits for the first. Those without any wait for nobody.
            try await harness.leaseExactly([0], as: members[0], limit: 1)
            try await harness.leaseExactly([2], as: members[0], limit: 1)
            try await harness.leaseExactly([3], as: members[0])
        },
        StoreCheck("group order: a split of what was given back keeps the order of keys") { harness in
            let (stream, _, members) = try await harness.makeGroup(members: ["a"], partitions: 1)
            try await harness.append(keys: ["x", "y", "y", "x", "x"], to: stream)
            let lease = try await harness.leaseExactly([0, 1, 2, 3, 4], as: members[0])
            try await harness.store.release(lease)
            let part = try await harness.leaseExactly([0, 1], as: members[0], limit: 2)
            try await harness.requireNothing(for: members[0])
            try await harness.store.release(part)
            try await harness.leaseExactly([0, 1, 2, 3, 4], as: members[0])
        },
    ]
}
