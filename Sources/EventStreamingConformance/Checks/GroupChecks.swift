import EventStreamingCore
import EventStreamingTesting

/// What a consumer group delivers, and to whom.
enum GroupChecks {
    static let all: [StoreCheck] = [
        StoreCheck("group: there is one shared position") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"])
            try await harness.append(keys: try harness.keys(of: 4), to: stream)
            for member in members {
                let lease = try await harness.lease(as: member)
                try requireEqual(lease.events.count, 2, "events of \(member.consumer)")
                try await harness.store.acknowledge(lease)
            }
            let progress = try await harness.store.progress(of: group.id)
            try requireEqual(progress.map(\.consumer), [nil], "positions")
            try requireEqual(progress.map(\.position.rawValue), [4], "position")
            try require(progress[0].isFinished, "not finished: \(progress)")
        },
        StoreCheck("group: what one does not finish holds the position, not the others") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"], partitions: 2)
            let keys = try harness.keys(of: 2)
            for _ in 0..<20 {
                try await harness.append(keys: keys, to: stream)
            }
            _ = try await harness.leaseExactly([0], as: members[0], limit: 1)
            var finished: [Int64] = []
            try await harness.forEachLease(as: members[1]) { lease in
                finished += lease.events.map(\.offset.rawValue)
                try await harness.store.acknowledge(lease)
            }
            try requireEqual(finished, Array(stride(from: 1, to: 40, by: 2)), "events of b")
            try await harness.requirePosition(0, of: group)
        },
        StoreCheck("group: members who ask at once get each event once, in order") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"], partitions: 2)
            let keys = try harness.keys(of: 2)
            // What lies close together for one member is far apart for the other.
            try await harness.append(keys: (0..<400).map { keys[$0 % 4 == 3 ? 1 : 0] }, to: stream)
            let delivered = try await withThrowingTaskGroup(of: [Int64].self) { tasks in
                for (index, member) in members.enumerated() {
                    tasks.addTask {
                        var offsets: [Int64] = []
                        try await harness.forEachLease(as: member, limit: 8 - 4 * index) { lease in
                            let leased = lease.events.map(\.offset.rawValue)
                            try requireEqual(leased, Set(leased).sorted(), "offsets of a lease of \(member.consumer)")
                            offsets += leased
                            try await harness.store.acknowledge(lease)
                        }
                        return offsets
                    }
                }
                return try await tasks.reduce(into: []) { $0 += $1 }
            }
            try requireEqual(delivered.sorted(), Array(0..<400), "offsets delivered to all")
            try await harness.requirePosition(400, of: group)
        },
        StoreCheck("group: a member that stands still does not let the others run away without end") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"], partitions: 2)
            let keys = try harness.keys(of: 2)
            let block = try (0..<1000).map { try harness.event(of: keys[$0 % 2]) }
            for _ in 0..<20 {
                _ = try await harness.store.enqueue(
                    block.map {
                        NewEvent(
                            id: harness.ids.next(), type: $0.type, payload: $0.payload, size: 1, context: $0.context)
                    },
                    to: stream
                )
            }
            try await harness.forEachLease(as: members[1], limit: 1000) { try await harness.store.acknowledge($0) }
            let waiting = try await harness.progress(of: group).waiting
            try require((1000..<20_000).contains(waiting), "\(waiting) events wait for a member of 20000")
            // As soon as it goes on, so do the others.
            var rest = true
            while rest {
                rest = false
                for member in members {
                    try await harness.forEachLease(as: member, limit: 1000) { lease in
                        rest = true
                        try await harness.store.acknowledge(lease)
                    }
                }
            }
            try await harness.requirePosition(20_000, of: group)
        },
        StoreCheck("group: at most once, each event goes to one member, once") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"]) {
                $0.semantics = .atMostOnce
            }
            for _ in 0..<10 {
                try await harness.append(keys: try harness.keys(of: 4), to: stream)
            }
            var offsets: [Int64] = []
            for member in members {
                try await harness.forEachLease(as: member) { offsets += $0.events.map(\.offset.rawValue) }
            }
            try requireEqual(offsets.sorted(), Array(0..<40), "events delivered")
            try await harness.requirePosition(40, of: group)
        },
        StoreCheck("group: the filter passes over events") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"]) {
                $0.eventTypes = ["Wanted"]
            }
            for _ in 0..<10 {
                try await harness.append(keys: try harness.keys(of: 4), to: stream)
                try await harness.append(2, to: stream, type: "Wanted")
            }
            var types: [String] = []
            for member in members {
                try await harness.forEachLease(as: member) { lease in
                    types += lease.events.map(\.type.name)
                    try await harness.store.acknowledge(lease)
                }
            }
            try requireEqual(types, Array(repeating: "Wanted", count: 20), "types delivered")
            try await harness.requirePosition(60, of: group)
        },
        StoreCheck("group: what waits for a member is trimmed with its events") { harness in
            let (stream, group, members) = try await harness.makeGroup(members: ["a", "b"], partitions: 2)
            let keys = try harness.keys(of: 2)
            for _ in 0..<5 {
                try await harness.append(keys: keys, to: stream)
            }
            let lease = try await harness.leaseExactly([0, 2, 4, 6, 8], as: members[0])
            _ = try await harness.store.trim(stream, before: StreamOffset(6))
            try await harness.leaseExactly([7, 9], as: members[1])
            try await harness.store.acknowledge(lease)
            try await harness.requirePosition(7, of: group)
            // 1, 3 and 5 waited; 0, 2 and 4 were held.
            try requireEqual(try await harness.progress(of: group).missed, 6, "missed")
        },
        StoreCheck("group: an ephemeral stream keeps what waits for a member") { harness in
            let stream = try await harness.makeStream("queue", .ephemeral)
            let group = try await harness.makeSubscription("group", of: stream, .consumerGroup) { $0.partitions = 2 }
            let first = try await harness.register("a", of: group, kind: .temporary)
            let second = try await harness.register("b", of: group, kind: .temporary)
            try await harness.append(keys: try harness.keys(of: 2), to: stream)
            let lease = try await harness.leaseExactly([0], as: first)
            try await harness.store.acknowledge(lease)
            try requireEqual(try await harness.store.metadata(of: stream).first, StreamOffset(1), "oldest event")
            try await harness.store.unregisterConsumer(second)
            let other = try await harness.leaseExactly([1], as: first)
            try await harness.store.acknowledge(other)
            try requireEqual(try await harness.store.metadata(of: stream).count, 0, "events kept")
        },
        StoreCheck("group: many tasks deliver each event once, in order of its key") { harness in
            try await compete(harness)
        },
        StoreConformance.groupSimulation(seeds: 1...10),
    ]

    /// Four members consume while others append.
    private static func compete(_ harness: StoreHarness) async throws {
        let (stream, group, members) = try await harness.makeGroup(members: ["a", "b", "c", "d"], partitions: 8)
        let keys = try harness.keys(of: 8)
        let delivered = try await withThrowingTaskGroup(of: [(key: String, offset: Int64)].self) { tasks in
            tasks.addTask {
                for _ in 0..<30 {
                    try await harness.append(keys: keys, to: stream)
                }
                return []
            }
            for member in members {
                tasks.addTask {
                    var delivered: [(key: String, offset: Int64)] = []
                    while try await harness.progress(of: group).position.rawValue < 240 {
                        guard case .lease(let lease) = try await harness.store.dequeue(as: member, limit: 7) else {
                            await Task.yield()
                            continue
                        }
                        delivered += lease.events.map { ($0.correlationID?.rawValue ?? "", $0.offset.rawValue) }
                        try await harness.store.acknowledge(lease)
                    }
                    return delivered
                }
            }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
        try requireEqual(delivered.joined().map(\.offset).sorted(), Array(0..<240), "events delivered")
        for member in delivered {
            for (key, events) in Dictionary(grouping: member, by: \.key) {
                try requireEqual(events.map(\.offset), events.map(\.offset).sorted(), "order of \(key)")
            }
        }
    }
}
