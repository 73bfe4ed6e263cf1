import EventStreamingCore
import EventStreamingTesting

/// Random calls by members of a consumer group that come, go, fail, fall silent and wake up again; after each, what happened
/// is held against the rules of groups rather than against a second implementation.
///
/// A member has several leases at a time, settles parts of them in any order, and marks what it processed, or does not get
/// that far. Some events are filtered out, some are refused for good, and redriven or discarded. Members of the same name replace
/// each other, the number of partitions changes, and those whose leases have ended try to settle all the same.
struct GroupRun {
    static let visibility = Duration.seconds(10)
    static let consumerTimeout = Duration.seconds(25)

    struct Held {
        let lease: Lease
        var offsets: Set<Int64>
        var expiry: Duration
    }

    let harness: StoreHarness
    let stream: StreamName
    let group: SubscriptionDefinition
    let keys: [String]
    var random: SeededGenerator
    var members: [String: ConsumerRegistration] = [:]
    var lastSigns: [String: Duration] = [:]
    /// The key of the event at each offset; `nil` for one that the group does not want.
    var log: [String?] = []
    /// The id of the event at each offset.
    var ids: [MessageID] = []
    /// What ended before it was settled, for those who do not know it yet.
    var stale: [Lease] = []
    /// What is marked as processed.
    var marked: Set<Int64> = []
    var locks: [(lock: IdempotencyLock, offsets: Range<Int64>, expiry: Duration)] = []
    let processor: ProcessorID
    let isFiltered: Bool
    /// Offsets that are neither finished nor given up.
    var open: Set<Int64> = []
    /// Open offsets of events that return from the dead letters.
    var redriven: Set<Int64> = []
    var held: [UInt64: Held] = [:]
    var owners: [PartitionInfo] = []
    /// Offsets of the open dead letters.
    var letters: Set<Int64> = []
    /// Whether members came or went since the partitions were looked at.
    var isShared = false
    var finished = 0
    var discarded = 0
    var nextMember = 0

    init(harness: StoreHarness, seed: UInt64) async throws {
        self.harness = harness
        random = SeededGenerator(seed: seed)
        stream = try await harness.makeStream("stream-\(seed)")
        let partitions = Int.random(in: 1...7, using: &random)
        let isFiltered = Bool.random(using: &random)
        self.isFiltered = isFiltered
        let keepsOrder = Bool.random(using: &random)
        group = try await harness.makeSubscription("group-\(seed)", of: stream, .consumerGroup) {
            $0.partitions = partitions
            $0.eventTypes = isFiltered ? ["Ordered"] : nil
            $0.keepsOrder = keepsOrder
            $0.visibilityTimeout = Self.visibility
            $0.consumerTimeout = Self.consumerTimeout
            $0.retry.maximumAttempts = 4
            $0.retry.initialDelay = .seconds(2)
            $0.retry.maximumDelay = .seconds(4)
        }
        processor = ProcessorID(group.id, consumer: nil)
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
            case 75..<79: try await release()
            case 79..<85: harness.clock.advance(by: .milliseconds(Int.random(in: 0...5000, using: &random)))
            case 85..<88: try await heartbeat()
            case 88..<90: try await join()
            case 90: try await replace()
            case 91: try await leave()
            case 92: try await closeDeadLetter()
            case 93 where Int.random(in: 0..<4, using: &random) == 0: try await repartition()
            case 93..<97: try await settleStale()
            case 97..<99: try await claim()
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
        // What is filtered out at the end is passed over by whoever asks next.
        for name in members.keys.sorted() {
            try await dequeue(limit: 50, as: name)
        }
        let progress = try await harness.progress(of: group)
        try require(progress.isFinished, "not finished at the end: \(progress)")
        try requireEqual(progress.position.rawValue, Int64(log.count), "position at the end")
        let letters = try await harness.deadLetters(of: group).count
        try requireEqual(finished + letters + discarded, log.count { $0 != nil }, "events finished, and given up")
        try await compareMarks()
    }

    mutating func append() async throws {
        var events: [NewEvent] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let key = keys[Int.random(in: 0..<keys.count, using: &random)]
            let isWanted = !isFiltered || Int.random(in: 0..<4, using: &random) > 0
            let event = try harness.event(of: key, type: isWanted ? "Ordered" : "Noted")
            events.append(event)
            ids.append(event.id)
            if isWanted {
                open.insert(Int64(log.count))
            }
            log.append(isWanted ? key : nil)
        }
        _ = try await harness.store.enqueue(events, to: stream)
    }

    @discardableResult
    mutating func dequeue(limit: Int, as name: String? = nil) async throws -> Bool {
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
    mutating func check(_ lease: Lease, limit: Int, of name: String) async throws {
        try require(!lease.events.isEmpty && lease.events.count <= limit, "a lease of \(lease.events.count) events")
        owners = try await harness.store.partitions(of: group.id)
        for event in lease.events {
            let offset = event.offset.rawValue
            let key = log[Int(offset)]
            try require(key != nil, "event \(offset) is not wanted")
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

    // MARK: - Comparing

    mutating func expire() {
        let uptime = harness.clock.uptime
        endAll { $0.expiry <= uptime }
        locks.removeAll { $0.expiry <= uptime }
        for name in Array(members.keys) where isSilent(name) {
            lose(name)
        }
    }

    mutating func compare() async throws {
        expire()
        let progress = try await harness.progress(of: group)
        // What expired may have been given up.
        try await noteGivenUp(progress)
        let lowest = open.subtracting(redriven).min() ?? Int64(log.count)
        // Never past an event that is not finished; behind the finished ones only where nobody looked at what is filtered out.
        let position = progress.position.rawValue
        try require(position <= lowest, "the position \(position) is past \(lowest), which is not finished")
        let isBehind = log[Int(position)..<Int(lowest)].contains { $0 != nil }
        try require(!isBehind, "the position \(position) is behind \(lowest), though everything before it is finished")
        let parked = group.keepsOrder ? Set(letters.map { log[Int($0)] }).count : 0
        try requireEqual(progress.parkedKeys, parked, "keys with dead letters")
        try requireEqual(progress.inFlight, held.values.reduce(0) { $0 + $1.offsets.count }, "in flight")
        // Looked at whenever somebody came or went, and now and then.
        guard !isShared || Int.random(in: 0..<8, using: &random) == 0 else { return }
        isShared = true
        let partitions = try await harness.store.partitions(of: group.id)
        let counts = Dictionary(grouping: partitions.compactMap(\.owner), by: { $0 }).mapValues(\.count)
        try requireEqual(Set(counts.keys.map(\.rawValue)).isSubset(of: members.keys), true, "owners are members")
        let shares = members.keys.map { name in counts.first { $0.key.rawValue == name }?.value ?? 0 }
        try require((shares.max() ?? 0) - (shares.min() ?? 0) <= 1, "shares of \(counts)")
        try requireEqual(shares.reduce(0, +), members.isEmpty ? 0 : partitions.count, "partitions with owners")
    }
}
