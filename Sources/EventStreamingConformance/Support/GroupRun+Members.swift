import EventStreamingCore
import EventStreamingTesting

/// Members that come and go, and what they do after they are gone.
extension GroupRun {
    mutating func join() async throws {
        guard members.count < 4 else { return }
        let name = "m\(nextMember)"
        nextMember += 1
        members[name] = try await harness.register(name, of: group, kind: .temporary)
        isShared = false
        lastSigns[name] = harness.clock.uptime
    }

    mutating func leave() async throws {
        guard let name = members.keys.sorted().randomElement(using: &random), let member = members[name] else { return }
        expire()
        do throws(EventStreamingError) {
            try await harness.store.unregisterConsumer(member)
        } catch {
            guard error.code == .unknownConsumer else { throw error }
            try require(isSilent(name), "\(name) is not known although it showed life")
        }
        lose(name)
    }

    mutating func heartbeat(_ name: String? = nil) async throws {
        guard let name = name ?? members.keys.sorted().randomElement(using: &random), let member = members[name] else {
            return
        }
        expire()
        do throws(EventStreamingError) {
            try await harness.store.heartbeat(member, extending: .all)
        } catch {
            guard error.code == .unknownConsumer else { throw error }
            try require(isSilent(name), "\(name) is not known although it showed life")
            return lose(name)
        }
        lastSigns[name] = harness.clock.uptime
        let expiry = harness.clock.uptime + Self.visibility
        for (epoch, lease) in held where lease.lease.holder == member {
            held[epoch]?.expiry = expiry
        }
    }

    func isSilent(_ name: String) -> Bool {
        harness.clock.uptime - (lastSigns[name] ?? .zero) >= Self.consumerTimeout
    }

    mutating func lose(_ name: String) {
        let member = members.removeValue(forKey: name)
        isShared = false
        endAll { $0.lease.holder == member }
    }

    /// A member of a name that another one has: that one is replaced.
    mutating func replace() async throws {
        guard let name = members.keys.sorted().randomElement(using: &random), let old = members[name] else { return }
        expire()
        let isKnown = members[name] != nil
        lose(name)
        members[name] = try await harness.register(name, of: group, kind: .temporary)
        isShared = false
        lastSigns[name] = harness.clock.uptime
        guard isKnown else { return }
        try await requireError(.consumerReplaced, from: "asking as the one before") {
            _ = try await harness.store.dequeue(as: old, limit: 1)
        }
    }

    /// Another number of partitions: whatever is held is taken back.
    mutating func repartition() async throws {
        expire()
        let count = Int.random(in: 1...7, using: &random)
        let isSame = try await harness.store.partitions(of: group.id).count == count
        try await harness.store.repartition(group.id, into: count)
        isShared = false
        if !isSame {
            endAll { _ in true }
        }
    }

    // MARK: - Leases that have ended

    /// Notes that leases are not held any more, in an order that the seed decides.
    mutating func endAll(where isOver: (Held) -> Bool) {
        for held in held.values.sorted(by: { $0.lease.epoch < $1.lease.epoch }) where isOver(held) {
            end(held)
        }
    }

    /// Notes that a lease is not held any more; its holder does not know.
    mutating func end(_ lease: Held) {
        held[lease.lease.epoch] = nil
        stale.append(lease.lease)
        if stale.count > 20 {
            stale.removeFirst()
        }
    }

    /// Somebody settles what he held, too late. He is refused, and what he processed is marked at most once.
    mutating func settleStale() async throws {
        expire()
        guard let lease = stale.randomElement(using: &random) else { return }
        let completed = lease.events.map(\.offset.rawValue).filter { _ in Bool.random(using: &random) }
        guard !completed.isEmpty else { return }
        var settlement = Settlement(
            of: lease.holder,
            leaseEpoch: lease.epoch,
            completed: completed.map { StreamOffset($0)..<StreamOffset($0 + 1) }
        )
        settlement.processed = ProcessedEvents(completed.map { ids[Int($0)] }, by: processor)
        try await requireError(.leaseExpired, .consumerReplaced, .unknownConsumer, from: "settling too late") {
            try await harness.store.settle(settlement)
        }
        guard Bool.random(using: &random) else { return }
        let events = completed.map { ids[Int($0)] }
        let new = try await harness.store.markProcessed(events, by: processor, at: nil)
        try requireEqual(
            new, Set(completed.filter { !marked.contains($0) }.map { ids[Int($0)] }), "new marks, made too late")
        marked.formUnion(completed)
    }
}
