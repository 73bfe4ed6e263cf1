import EventStreamingCore
import EventStreamingTesting

/// Who has which partition of a consumer group.
enum PartitionChecks {
    static let all: [StoreCheck] = [
        StoreCheck("partitions: the first member has all") { harness in
            let (_, group, _) = try await harness.makeGroup(members: [])
            let before = try await harness.store.partitions(of: group.id)
            try requireEqual(before.map(\.owner), [nil, nil, nil, nil], "owners without members")
            _ = try await harness.register("a", of: group)
            try requireEqual(try await harness.owners(of: group), ["a": [0, 1, 2, 3]], "owners")
        },
        StoreCheck("partitions: a member that comes takes only its share") { harness in
            let (_, group, _) = try await harness.makeGroup(members: ["a"])
            let before = try await harness.store.partitions(of: group.id)
            _ = try await harness.register("b", of: group)
            let owners = try await harness.owners(of: group)
            try requireEqual(owners.mapValues(\.count), ["a": 2, "b": 2], "shares")
            for (old, new) in zip(before, try await harness.store.partitions(of: group.id)) {
                let isMoved = old.owner != new.owner
                try requireEqual(new.epoch > old.epoch, isMoved, "whether the epoch of \(new) grew from \(old.epoch)")
            }
        },
        StoreCheck("partitions: what a member leaves goes to the others, and nothing else moves") { harness in
            let (_, group, members) = try await harness.makeGroup(members: ["a", "b", "c"], partitions: 7)
            let before = try await harness.owners(of: group)
            try requireEqual(before.values.map(\.count).sorted(), [2, 2, 3], "shares")
            try await harness.store.unregisterConsumer(members[1])
            let after = try await harness.owners(of: group)
            try requireEqual(after.values.map(\.count).sorted(), [3, 4], "shares without b")
            for name in ["a", "c"] {
                let kept = Set(before[name] ?? []).subtracting(after[name] ?? [])
                try require(kept.isEmpty, "\(name) lost \(kept) without cause")
            }
        },
        StoreCheck("partitions: nothing moves while nobody comes or goes") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b", "c"])
            let before = try await harness.store.partitions(of: group.id)
            for round in 0..<20 {
                try await harness.append(keys: ["x\(round)", "y\(round)"], to: stream)
                for member in members {
                    try await harness.store.heartbeat(member, extending: .all)
                    if case .lease(let lease) = try await harness.store.dequeue(as: member, limit: 10) {
                        try await harness.store.acknowledge(lease)
                    }
                }
                harness.clock.advance(by: .seconds(5))
            }
            try requireEqual(try await harness.store.partitions(of: group.id), before, "partitions")
        },
        StoreCheck("partitions: a member that shows no life loses them") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"]) {
                $0.consumerTimeout = .seconds(20)
            }
            try await harness.append(keys: try harness.keys(of: 4), to: stream)
            let held = try await harness.lease(as: members[0])
            harness.clock.advance(by: .seconds(15))
            try await harness.store.heartbeat(members[1], extending: .all)
            harness.clock.advance(by: .seconds(6))
            let lease = try await harness.lease(as: members[1])
            try requireEqual(try await harness.owners(of: group), ["b": [0, 1, 2, 3]], "owners")
            try await harness.store.acknowledge(lease)
            try await requireError(.consumerReplaced, .leaseExpired, from: "the lease of one who is gone") {
                try await harness.store.acknowledge(held)
            }
            try await harness.forEachLease(as: members[1]) { try await harness.store.acknowledge($0) }
            try await harness.requirePosition(4, of: group)
        },
        StoreCheck("partitions: a member of the same name takes over those of the other") { harness in
            let (_, group, members) = try await harness.makeGroup(members: ["a", "b"])
            let before = try await harness.owners(of: group)
            let again = try await harness.register("a", of: group, kind: .temporary)
            try requireEqual(try await harness.owners(of: group), before, "owners")
            try await requireError(.consumerReplaced, from: "asking as the other") {
                _ = try await harness.store.dequeue(as: members[0], limit: 1)
            }
            try await harness.requireNothing(for: again)
        },
        StoreCheck("partitions: a consumer that is created but not connected has none") { harness in
            let (_, group, _) = try await harness.makeGroup(members: ["a"])
            let before = try await harness.store.partitions(of: group.id)
            try await harness.store.createConsumer(try ConsumerID("b"), of: group.id, start: nil)
            try requireEqual(try await harness.store.partitions(of: group.id), before, "partitions")
            let infos = try await harness.store.consumers(of: group.id)
            try requireEqual(infos.map(\.partitions), [[0, 1, 2, 3], []], "partitions of the consumers")
        },
        StoreCheck("partitions: with more members than partitions some wait in reserve") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b", "c"], partitions: 2)
            let owners = try await harness.owners(of: group)
            try requireEqual(owners.values.map(\.count), [1, 1], "shares")
            try await harness.append(keys: try harness.keys(of: 2), to: stream)
            let idle = members.filter { owners[$0.consumer.rawValue] == nil }
            try requireEqual(idle.count, 1, "members in reserve")
            try await harness.requireNothing(for: idle[0])
        },
        StoreCheck("partitions: other modes have none") { harness in
            let (_, subscription, _) = try await harness.makeQueue()
            try requireEqual(try await harness.store.partitions(of: subscription.id), [], "partitions")
            try await requireError(.unsupported, from: "repartition") {
                try await harness.store.repartition(subscription.id, into: 4)
            }
        },
        StoreCheck("partitions: the number is fixed but for repartition") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"])
            try await harness.append(keys: try harness.keys(of: 4), to: stream)
            let held = try await harness.lease(as: members[0])
            var changed = group
            changed.partitions = 6
            try await requireError(.subscriptionConflict, from: "another number") {
                try await harness.store.createSubscription(changed)
            }
            try await harness.store.repartition(group.id, into: 6)
            try await harness.store.createSubscription(changed)
            try requireEqual(try await harness.owners(of: group).values.map(\.count), [3, 3], "shares")
            try await requireError(.leaseExpired, from: "a lease of the old partitions") {
                try await harness.store.acknowledge(held)
            }
            var count = 0
            for member in members {
                try await harness.forEachLease(as: member) { lease in
                    count += lease.events.count
                    try await harness.store.acknowledge(lease)
                }
            }
            try requireEqual(count, 4, "events delivered")
            try await harness.requirePosition(4, of: group)
            try await requireError(.subscriptionConflict, from: "the old number") {
                try await harness.store.createSubscription(group)
            }
        },
        StoreCheck("partitions: a number outside of what is allowed is refused") { harness in
            let (stream, group, _) = try await harness.makeGroup(members: ["a"])
            for count in [0, -1, 1025, Int.max] {
                try await requireError(.invalidArgument, from: "repartition into \(count)") {
                    try await harness.store.repartition(group.id, into: count)
                }
                try await requireError(.invalidArgument, from: "a group of \(count)") {
                    _ = try await harness.makeSubscription("other", of: stream, .consumerGroup) {
                        $0.partitions = count
                    }
                }
            }
            try await requireError(.unknownSubscription, from: "an unknown group") {
                try await harness.store.repartition(try SubscriptionID("nobody"), into: 4)
            }
            try await requireError(.unknownSubscription, from: "partitions of an unknown group") {
                _ = try await harness.store.partitions(of: try SubscriptionID("nobody"))
            }
        },
    ]
}
