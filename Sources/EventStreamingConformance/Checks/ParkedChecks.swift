import EventStreamingCore
import EventStreamingTesting

enum ParkedChecks {
    private static let note = AuditNote(by: "ada", because: "mended")

    static let all: [StoreCheck] = [
        StoreCheck("parked: later events of a key wait behind its dead letter, other keys go on") { harness in
            let (stream, group, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "b", "a", "b", "a"], to: stream)
            try await harness.park(0, as: member)
            try await harness.finish([1, 3], as: member)
            try await harness.requireNothing(for: member)
            try await harness.append(keys: ["a", "b"], to: stream)
            try await harness.finish([6], as: member)
            try await harness.requireNothing(for: member)
            let progress = try await harness.progress(of: group)
            try requireEqual(progress.parkedKeys, 1, "keys with dead letters")
            try requireEqual(progress.behindParked, 3, "events behind them")
            try requireEqual(progress.waiting, 3, "waiting")
            try requireEqual(progress.position.rawValue, 2, "position")
        },
        StoreCheck("parked: after a redrive the dead letter comes first, then those behind it, in order") { harness in
            let (stream, group, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "a", "a"], to: stream)
            try await harness.park(0, as: member)
            try await harness.requireNothing(for: member)
            try requireEqual(try await harness.redriveAll(of: group), 1, "redriven")
            let first = try await harness.lease(0..<1, as: member, limit: 10)
            try require(first.isRedriven, "the dead letter comes first")
            try await harness.requireNothing(for: member)
            try await harness.store.acknowledge(first)
            try await harness.finish([1, 2], as: member)
            let progress = try await harness.progress(of: group)
            try require(progress.isFinished && progress.parkedKeys == 0 && progress.behindParked == 0, "\(progress)")
        },
        StoreCheck("parked: after a discard those behind it go on without it") { harness in
            let (stream, group, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "a", "a"], to: stream)
            try await harness.park(0, as: member)
            try await harness.requireNothing(for: member)
            let recorder = ChangeRecorder()
            harness.store.addObserver(recorder)
            _ = try await harness.store.discard([offsets(0, 1)], of: group.id, by: note)
            try require(await recorder.waitForChange(of: stream), "who waits was not told")
            try await harness.finish([1, 2], as: member)
            try require(try await harness.progress(of: group).isFinished, "everything is done")
        },
        StoreCheck("parked: a dead letter that fails again goes on holding its key back") { harness in
            let (stream, group, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "a"], to: stream)
            try await harness.park(0, as: member)
            for _ in 0..<2 {
                try requireEqual(try await harness.redriveAll(of: group), 1, "redriven")
                try await harness.park(0, as: member)
                try await harness.requireNothing(for: member)
            }
            try requireEqual(try await harness.progress(of: group).behindParked, 1, "behind it")
        },
        StoreCheck("parked: of several dead letters of a key the earlier comes first, whichever is redriven") {
            harness in
            let (stream, group, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "a", "a"], to: stream)
            let lease = try await harness.lease(0..<3, as: member)
            try await harness.store.nack(offsets(0, 2), of: lease, action: .deadLetter, reason: "poison")
            try await harness.requireNothing(for: member)
            _ = try await harness.store.redrive([offsets(1, 2)], of: group.id, by: note)
            try await harness.requireNothing(for: member)
            _ = try await harness.store.redrive([offsets(0, 1)], of: group.id, by: note)
            try await harness.finish([0, 1, 2], as: member)
            try require(try await harness.progress(of: group).isFinished, "everything is done")
        },
        StoreCheck("parked: what is given up by the call that asks for more holds its key back at once") { harness in
            let (stream, _, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "b", "a"], to: stream)
            let lease = try await harness.lease(0..<1, as: member)
            var settlement = Settlement(of: member, leaseEpoch: lease.epoch)
            settlement.rejections = [Rejection(offsets: offsets(0, 1), action: .deadLetter, reason: "poison")]
            guard case .lease(let next) = try await harness.store.dequeue(as: member, limit: 10, settling: settlement)
            else { throw ConformanceFailure(message: "there was nothing next", file: #fileID, line: #line) }
            try requireEqual(next.events.map(\.offset.rawValue), [1], "what came next")
            try await harness.store.acknowledge(next)
            try await harness.requireNothing(for: member)
        },
        StoreCheck("parked: an event given up because it ran out holds its key back at once") { harness in
            let (stream, _, member) = try await harness.makeOrderedGroup { $0.retry.maximumAttempts = 1 }
            try await harness.append(keys: ["a", "b", "a"], to: stream)
            try await harness.lease(0..<1, as: member)
            harness.clock.advance(by: .seconds(30))
            try await harness.finish([1], as: member)
            try await harness.requireNothing(for: member)
        },
        StoreCheck("parked: a key stays held back when its partition gets another owner") { harness in
            let (stream, group, first) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "b", "a"], to: stream)
            try await harness.park(0, as: first)
            try await harness.store.unregisterConsumer(first)
            let second = try await harness.register("c2", of: group)
            try await harness.finish([1], as: second)
            try await harness.requireNothing(for: second)
            try await harness.store.repartition(group.id, into: 2)
            try await harness.requireNothing(for: second)
            try requireEqual(try await harness.redriveAll(of: group), 1, "redriven")
            try await harness.finish([0, 2], as: second)
        },
        StoreCheck("parked: dead letters that are trimmed hold nothing back any more") { harness in
            let (stream, group, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "a"], to: stream)
            try await harness.park(0, as: member)
            try await harness.requireNothing(for: member)
            _ = try await harness.store.trim(group.deadLetterStream, before: StreamOffset(1))
            try requireEqual(try await harness.progress(of: group).parkedKeys, 0, "keys with dead letters")
            try await harness.finish([1], as: member)
        },
        StoreCheck("parked: without keepsOrder nothing waits, and the option can be set and unset") { harness in
            let (stream, group, member) = try await harness.makeOrderedGroup { $0.keepsOrder = false }
            try await harness.append(keys: ["a", "a", "a"], to: stream)
            try await harness.park(0, as: member)
            try await harness.finish([1], as: member)
            try requireEqual(try await harness.progress(of: group).parkedKeys, 0, "keys, where nothing waits")
            var changed = group
            changed.keepsOrder = true
            try await harness.store.createSubscription(changed)
            try await harness.requireNothing(for: member)
            try requireEqual(try await harness.progress(of: group).parkedKeys, 1, "keys with dead letters")
            try await harness.store.createSubscription(group)
            try await harness.finish([2], as: member)
        },
        StoreCheck("parked: a position that is moved back to the dead letter delivers it as any other") { harness in
            let (stream, group, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a", "a"], to: stream)
            try await harness.park(0, as: member)
            _ = try await harness.store.setOffset(.zero, of: nil, in: group.id, epoch: member.epoch)
            try await harness.finish([0], as: member)
            try await harness.requireNothing(for: member)
        },
        StoreCheck("parked: so many behind it, and no new ones are looked at until somebody acts") { harness in
            let (stream, group, member) = try await harness.makeOrderedGroup()
            try await harness.append(keys: ["a"], to: stream)
            try await harness.park(0, as: member)
            let many = 8500
            for _ in 0..<many / 500 {
                try await harness.append(keys: Array(repeating: "a", count: 500), to: stream)
            }
            try await harness.append(keys: ["b"], to: stream)
            try await harness.requireNothing(for: member)
            let progress = try await harness.progress(of: group)
            try require(progress.behindParked > 0 && progress.behindParked <= 8192, "\(progress.behindParked) wait")
            _ = try await harness.store.discard([offsets(0, 1)], of: group.id, by: note)
            var count = 0
            try await harness.forEachLease(as: member, limit: 4096) { lease in
                count += lease.events.count
                try await harness.store.acknowledge(lease)
            }
            try requireEqual(count, many + 1, "events that came")
        },
        StoreCheck("parked: refused where there is no order by key, or no dead letter") { harness in
            let stream = try await harness.makeStream()
            for (mode, semantics) in [
                (SubscriptionMode.exclusive, DeliverySemantics.atLeastOnce), (.broadcast, .atLeastOnce),
                (.consumerGroup, .atMostOnce),
            ] {
                try await requireError(.invalidArgument, from: "keepsOrder with \(mode) \(semantics)") {
                    _ = try await harness.makeSubscription(of: stream, mode) {
                        $0.keepsOrder = true
                        $0.semantics = semantics
                    }
                }
            }
        },
    ]
}

extension StoreHarness {
    /// A group with one partition, its member `c1`, and keys that wait behind their dead letters.
    fileprivate func makeOrderedGroup(
        change: (inout SubscriptionDefinition) -> Void = { _ in }
    ) async throws -> (stream: StreamName, group: SubscriptionDefinition, member: ConsumerRegistration) {
        let stream = try await makeStream()
        let group = try await makeSubscription(of: stream, .consumerGroup) {
            $0.partitions = 1
            $0.keepsOrder = true
            change(&$0)
        }
        return (stream, group, try await register("c1", of: group))
    }

    /// Leases one event and gives it up.
    fileprivate func park(_ offset: Int64, as member: ConsumerRegistration, line: Int = #line) async throws {
        let lease = try await lease(offset..<offset + 1, as: member, line: line)
        try await store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "poison")
    }

    /// Leases and finishes exactly these events, in this order.
    fileprivate func finish(_ offsets: [Int64], as member: ConsumerRegistration, line: Int = #line) async throws {
        var seen: [Int64] = []
        while seen.count < offsets.count {
            let lease = try await lease(as: member, limit: offsets.count - seen.count, line: line)
            seen += lease.events.map(\.offset.rawValue)
            try await store.acknowledge(lease)
        }
        try requireEqual(seen, offsets, "events, in order", line: line)
    }

    fileprivate func redriveAll(of group: SubscriptionDefinition) async throws -> Int {
        try await store.redrive(offsets(0, .max), of: group.id)
    }
}
