import EventStreamingCore
import EventStreamingTesting

/// Random calls by members of a consumer group that come, go, fail and fall silent; after each, what happened is held
/// against the rules of groups rather than against a second implementation.
struct GroupRun {
    private static let visibility = Duration.seconds(10)
    private static let consumerTimeout = Duration.seconds(25)

    private struct Held {
        let lease: Lease
        var offsets: Set<Int64>
        var expiry: Duration
    }

    private let harness: StoreHarness
    private let stream: StreamName
    private let group: SubscriptionDefinition
    private let keys: [String]
    private var random: SeededGenerator
    private var members: [String: ConsumerRegistration] = [:]
    private var lastSigns: [String: Duration] = [:]
    /// The key of the event at each offset.
    private var log: [String] = []
    /// Offsets that are neither finished nor given up.
    private var open: Set<Int64> = []
    /// Open offsets of events that return from the dead letters.
    private var redriven: Set<Int64> = []
    private var held: [UInt64: Held] = [:]
    private var owners: [PartitionInfo] = []
    private var finished = 0
    private var discarded = 0
    private var nextMember = 0

    init(harness: StoreHarness, seed: UInt64) async throws {
        self.harness = harness
        random = SeededGenerator(seed: seed)
        stream = try await harness.makeStream("stream-\(seed)")
        let partitions = Int.random(in: 1...7, using: &random)
        let keepsOrder = Bool.random(using: &random)
        group = try await harness.makeSubscription("group-\(seed)", of: stream, .consumerGroup) {
            $0.partitions = partitions
            $0.keepsOrder = keepsOrder
            $0.visibilityTimeout = Self.visibility
            $0.consumerTimeout = Self.consumerTimeout
            $0.retry.maximumAttempts = 4
            $0.retry.initialDelay = .seconds(2)
            $0.retry.maximumDelay = .seconds(4)
        }
        keys = (0..<12).map { "key-\($0)" }
        try await join()
    }

    // MARK: - Steps

    mutating func steps(_ count: Int) async throws {
        for _ in 0..<count {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<15: try await append()
            case 15..<50: try await dequeue(limit: Int.random(in: 1...8, using: &random))
            case 50..<75: try await settle()
            case 75..<80: try await release()
            case 80..<88: harness.clock.advance(by: .milliseconds(Int.random(in: 0...5000, using: &random)))
            case 88..<92: try await heartbeat()
            case 92..<94: try await join()
            case 94..<96: try await leave()
            case 96..<98: try await closeDeadLetter()
            default: _ = try await harness.store.expireConsumers()
            }
            try await compare()
        }
    }

    /// Finishes everything, and makes sure that nothing was lost.
    mutating func drain() async throws {
        if members.isEmpty {
            try await join()
        }
        var rounds = 0
        while !open.isEmpty {
            rounds += 1
            try require(rounds < 5000, "events \(open.sorted().prefix(10)) are not delivered")
            var isIdle = true
            for name in members.keys.sorted() {
                if try await dequeue(limit: 50, as: name) { isIdle = false }
            }
            for held in held.values.sorted(by: { $0.lease.epoch < $1.lease.epoch }) {
                try await finish(held)
            }
            if isIdle {
                harness.clock.advance(by: .seconds(1))
                if group.keepsOrder {
                    // What waits behind dead letters waits for somebody who does something with them.
                    try await closeDeadLetter()
                }
            }
            for name in members.keys.sorted() {
                try await heartbeat(name)
            }
            try await compare()
        }
        let progress = try await harness.progress(of: group)
        try require(progress.isFinished, "not finished at the end: \(progress)")
        try requireEqual(progress.position.rawValue, Int64(log.count), "position at the end")
        let letters = try await harness.deadLetters(of: group).count
        try requireEqual(finished + letters + discarded, log.count, "events finished, and given up")
    }

    private mutating func append() async throws {
        var keys: [String] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            keys.append(self.keys[Int.random(in: 0..<self.keys.count, using: &random)])
        }
        try await harness.append(keys: keys, to: stream)
        for key in keys {
            open.insert(Int64(log.count))
            log.append(key)
        }
    }

    @discardableResult
    private mutating func dequeue(limit: Int, as name: String? = nil) async throws -> Bool {
        guard let name = name ?? members.keys.sorted().randomElement(using: &random), let member = members[name] else {
            return false
        }
        expire()
        let result: DequeueResult
        do throws(EventStreamingError) {
            result = try await harness.store.dequeue(as: member, limit: limit)
        } catch {
            guard error.code == .unknownConsumer else { throw error }
            try require(isSilent(name), "\(name) is not known although it showed life")
            lose(name)
            return false
        }
        lastSigns[name] = harness.clock.uptime
        guard case .lease(let lease) = result else { return false }
        try await check(lease, limit: limit, of: name)
        held[lease.epoch] = Held(
            lease: lease,
            offsets: Set(lease.events.map(\.offset.rawValue)),
            expiry: harness.clock.uptime + Self.visibility
        )
        return true
    }

    /// The rules for what a member may be handed.
    private mutating func check(_ lease: Lease, limit: Int, of name: String) async throws {
        try require(!lease.events.isEmpty && lease.events.count <= limit, "a lease of \(lease.events.count) events")
        owners = try await harness.store.partitions(of: group.id)
        for event in lease.events {
            let offset = event.offset.rawValue
            let key = log[Int(offset)]
            try require(open.contains(offset), "event \(offset) was finished before")
            let owner = owners[PartitionKey(of: event).partition(of: owners.count)].owner
            try requireEqual(owner?.rawValue, name, "owner of the partition of event \(offset)")
            for other in held.values {
                try require(!other.offsets.contains(offset), "event \(offset) is held already")
                let sameKey = other.offsets.first { log[Int($0)] == key }
                try require(sameKey == nil, "event \(offset) was handed out while \(sameKey ?? -1) of its key is held")
            }
            let earlier = open.filter {
                $0 < offset && log[Int($0)] == key && (group.keepsOrder || !redriven.contains($0))
            }
            let isBefore = earlier.allSatisfy { first in
                lease.events.contains { $0.offset.rawValue == first && $0.offset < event.offset }
            }
            try require(
                isBefore || (lease.isRedriven && !group.keepsOrder),
                "event \(offset) was handed out before \(earlier) of its key"
            )
        }
        try await checkParked(lease)
        let order = lease.events.map(\.offset)
        try requireEqual(order, order.sorted(), "order of a lease")
    }

    /// No event comes before an earlier dead letter of its key, where the group keeps the order.
    private func checkParked(_ lease: Lease) async throws {
        guard group.keepsOrder else { return }
        let letters = try await deadLetters()
        for event in lease.events {
            let offset = event.offset.rawValue
            let parked = letters.first { $0 < offset && log[Int($0)] == log[Int(offset)] }
            try require(
                parked == nil, "event \(offset) was handed out before the dead letter \(parked ?? -1) of its key")
        }
    }

    /// Settles a random part of a random lease, in random ways.
    private mutating func settle() async throws {
        expire()
        guard let held = held.values.sorted(by: { $0.lease.epoch < $1.lease.epoch }).randomElement(using: &random)
        else {
            return
        }
        var settlement = Settlement(of: held.lease.holder, leaseEpoch: held.lease.epoch)
        var completed: Set<Int64> = []
        var rejected: Set<Int64> = []
        for offset in held.offsets.sorted() {
            let isBehind = rejected.contains { log[Int($0)] == log[Int(offset)] }
            let range = StreamOffset(offset)..<StreamOffset(offset + 1)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5 where !isBehind:
                settlement.completed.append(range)
                completed.insert(offset)
            case 5 where !isBehind:
                settlement.rejections.append(Rejection(offsets: range, action: .retry(after: nil), reason: "no"))
                rejected.insert(offset)
            case 6 where !isBehind && offset.isMultiple(of: 3):
                settlement.rejections.append(Rejection(offsets: range, action: .deadLetter, reason: "poison"))
                rejected.insert(offset)
            default: break
            }
        }
        guard !completed.isEmpty || !rejected.isEmpty else { return }
        let letters = try await deadLetters()
        try await harness.store.settle(settlement)
        let givenUp = try await deadLetters().subtracting(letters)
        finish(completed)
        open.subtract(givenUp)
        redriven.subtract(givenUp)
        let behind = held.offsets.filter { offset in
            rejected.contains { $0 < offset && log[Int($0)] == log[Int(offset)] }
        }
        self.held[held.lease.epoch]?.offsets.subtract(completed.union(rejected).union(behind))
        if self.held[held.lease.epoch]?.offsets.isEmpty == true {
            self.held[held.lease.epoch] = nil
        }
    }

    private mutating func finish(_ held: Held) async throws {
        let ranges = held.offsets.sorted().map { StreamOffset($0)..<StreamOffset($0 + 1) }
        try await harness.store.settle(
            Settlement(of: held.lease.holder, leaseEpoch: held.lease.epoch, completed: ranges)
        )
        finish(held.offsets)
        self.held[held.lease.epoch] = nil
    }

    private mutating func finish(_ offsets: Set<Int64>) {
        open.subtract(offsets)
        redriven.subtract(offsets)
        finished += offsets.count
    }

    private mutating func release() async throws {
        expire()
        guard let held = held.values.sorted(by: { $0.lease.epoch < $1.lease.epoch }).randomElement(using: &random)
        else {
            return
        }
        try await harness.store.release(held.lease)
        self.held[held.lease.epoch] = nil
    }

    /// Redrives or discards a random dead letter.
    private mutating func closeDeadLetter() async throws {
        let letters = try await harness.deadLetters(of: group)
        guard let letter = letters.randomElement(using: &random) else { return }
        let numbers = letter.number..<letter.number.advanced(by: 1)
        guard Int.random(in: 0..<4, using: &random) > 0 else {
            let note = AuditNote(by: "simulation", because: "")
            let closed = try await harness.store.discard([numbers], of: group.id, by: note)
            try requireEqual(closed, [letter.number], "discarded")
            discarded += 1
            return
        }
        let count = try await harness.store.redrive(numbers, of: group.id)
        try requireEqual(count, 1, "redriven")
        open.insert(letter.event.offset.rawValue)
        redriven.insert(letter.event.offset.rawValue)
    }

    private func deadLetters() async throws -> Set<Int64> {
        Set(try await harness.deadLetters(of: group).map(\.event.offset.rawValue))
    }

    // MARK: - Members

    private mutating func join() async throws {
        guard members.count < 4 else { return }
        let name = "m\(nextMember)"
        nextMember += 1
        members[name] = try await harness.register(name, of: group, kind: .temporary)
        lastSigns[name] = harness.clock.uptime
    }

    private mutating func leave() async throws {
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

    private mutating func heartbeat(_ name: String? = nil) async throws {
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

    private func isSilent(_ name: String) -> Bool {
        harness.clock.uptime - (lastSigns[name] ?? .zero) >= Self.consumerTimeout
    }

    private mutating func lose(_ name: String) {
        let member = members.removeValue(forKey: name)
        held = held.filter { $0.value.lease.holder != member }
    }

    // MARK: - Comparing

    private mutating func expire() {
        let uptime = harness.clock.uptime
        held = held.filter { $0.value.expiry > uptime }
        for name in Array(members.keys) where isSilent(name) {
            lose(name)
        }
    }

    private mutating func compare() async throws {
        expire()
        let progress = try await harness.progress(of: group)
        // What expired may have been given up.
        let givenUp = try await deadLetters().intersection(open).subtracting(redriven)
        open.subtract(givenUp)
        let again = try await deadLetters().intersection(redriven)
        open.subtract(again)
        redriven.subtract(again)
        let lowest = open.subtracting(redriven).min() ?? Int64(log.count)
        try requireEqual(progress.position.rawValue, lowest, "position")
        let keys = group.keepsOrder ? Set(try await deadLetters().map { log[Int($0)] }).count : 0
        try requireEqual(progress.parkedKeys, keys, "keys with dead letters")
        try requireEqual(progress.inFlight, held.values.reduce(0) { $0 + $1.offsets.count }, "in flight")
        let partitions = try await harness.store.partitions(of: group.id)
        let counts = Dictionary(grouping: partitions.compactMap(\.owner), by: { $0 }).mapValues(\.count)
        try requireEqual(Set(counts.keys.map(\.rawValue)).isSubset(of: members.keys), true, "owners are members")
        let shares = members.keys.map { name in counts.first { $0.key.rawValue == name }?.value ?? 0 }
        try require((shares.max() ?? 0) - (shares.min() ?? 0) <= 1, "shares of \(counts)")
        try requireEqual(shares.reduce(0, +), members.isEmpty ? 0 : partitions.count, "partitions with owners")
    }
}
