import EventStreamingCore
import EventStreamingTesting

/// Random calls by several consumers of one subscription, compared with a model after each of them.
struct RandomizedRun {
    private static let visibility = Duration.seconds(10)
    private static let names = ["c1", "c2", "c3"]

    private let harness: StoreHarness
    private let stream: StreamName
    private let subscription: SubscriptionDefinition
    private var random: SeededGenerator
    private var consumers: [String: ConsumerRegistration] = [:]
    private var ended: [Lease] = []
    private var models: [String: PositionModel] = [:]
    private var length: Int64 = 0
    private var deadLetters = 0

    init(harness: StoreHarness, stream: StreamName, mode: SubscriptionMode, seed: UInt64) async throws {
        self.harness = harness
        self.stream = stream
        random = SeededGenerator(seed: seed)
        subscription = try await harness.makeSubscription("sub-\(seed)", of: stream, mode) {
            $0.visibilityTimeout = Self.visibility
            $0.consumerTimeout = .seconds(1_000_000)
            $0.retry.maximumAttempts = 1_000_000
            $0.retry.initialDelay = .seconds(2)
            $0.retry.maximumDelay = .seconds(2)
            $0.retry.jitter = 0.5
        }
        for name in Self.names {
            consumers[name] = try await harness.register(name, of: subscription)
        }
    }

    /// The model of the position that a consumer uses.
    private func position(of name: String) -> String {
        subscription.mode == .exclusive ? "" : name
    }

    // MARK: - Steps

    mutating func steps(_ count: Int) async throws {
        for _ in 0..<count {
            let name = Self.names[Int.random(in: 0..<Self.names.count, using: &random)]
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<15: try await append()
            case 15..<50: try await dequeue(name)
            case 50..<75: try await settle(name)
            case 75..<80: try await release(name)
            case 80..<85: try await useEndedLease()
            case 85..<93: harness.clock.advance(by: .milliseconds(Int.random(in: 0...6000, using: &random)))
            case 93..<96: try await heartbeat(name)
            case 96..<98: try await takeOver(name, unregistersFirst: Bool.random(using: &random))
            case 98: _ = try await harness.store.expireConsumers()
            default: harness.clock.setWallClock(to: Timestamp(nanosecondsSinceEpoch: Int64(random.next() >> 2)))
            }
            try await compare()
        }
    }

    /// Finishes everything, and makes sure that nothing was lost.
    mutating func drain() async throws {
        for name in Self.names {
            var rounds = 0
            while models[position(of: name), default: PositionModel()].position < length {
                rounds += 1
                try require(rounds < 10_000, "\(name) does not get the rest")
                if try await dequeue(name, limit: 50), let held = liveLeases(of: name).randomElement(using: &random) {
                    let offsets = held.offsets
                    try await harness.store.settle(
                        Settlement(of: held.lease.holder, leaseEpoch: held.lease.epoch, completed: ranges(offsets))
                    )
                    let position = position(of: name)
                    for offset in offsets {
                        models[position]?.finish(offset, of: held.lease.epoch)
                    }
                } else {
                    harness.clock.advance(by: .seconds(1))
                }
                try await compare()
            }
        }
        for progress in try await harness.store.progress(of: subscription.id) {
            try require(progress.isFinished, "not finished at the end: \(progress)")
        }
        let letters = try await harness.deadLetters(of: subscription)
        try requireEqual(letters.count, deadLetters, "number of dead letters")
    }

    private mutating func append() async throws {
        let count = Int.random(in: 1...5, using: &random)
        try await harness.append(count, to: stream)
        length += Int64(count)
    }

    @discardableResult
    private mutating func dequeue(_ name: String, limit: Int? = nil) async throws -> Bool {
        guard let consumer = consumers[name] else { return false }
        let limit = limit ?? Int.random(in: 1...6, using: &random)
        guard case .lease(let lease) = try await harness.store.dequeue(as: consumer, limit: limit) else { return false }
        try require(!lease.events.isEmpty && lease.events.count <= limit, "a lease of \(lease.events.count) events")
        let (position, uptime) = (position(of: name), harness.clock.uptime)
        let problem = models[position, default: PositionModel()].take(lease, at: uptime, visibility: Self.visibility)
        try require(problem == nil, problem ?? "")
        return true
    }

    /// Settles a random part of a random lease, in random ways.
    private mutating func settle(_ name: String) async throws {
        guard let held = liveLeases(of: name).randomElement(using: &random) else { return }
        var settlement = Settlement(of: held.lease.holder, leaseEpoch: held.lease.epoch)
        var finished: [Int64] = []
        var failed: [(offset: Int64, due: Duration)] = []
        let uptime = harness.clock.uptime
        for offset in held.offsets.sorted() {
            let range = ranges([offset])[0]
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                settlement.completed.append(range)
                finished.append(offset)
            case 5:
                let delay = Duration.milliseconds(Int.random(in: 0...8000, using: &random))
                settlement.rejections.append(Rejection(offsets: range, action: .retry(after: delay), reason: "no"))
                failed.append((offset, uptime + delay))
            case 6:
                settlement.rejections.append(Rejection(offsets: range, action: .retry(after: nil), reason: "no"))
                failed.append((offset, uptime + .seconds(1)))
            case 7 where offset.isMultiple(of: 3):
                settlement.rejections.append(Rejection(offsets: range, action: .deadLetter, reason: "poison"))
                finished.append(offset)
                deadLetters += 1
            default: break
            }
        }
        settlement.completed.shuffle(using: &random)
        settlement.releasesRest = Int.random(in: 0..<4, using: &random) == 0
        guard !finished.isEmpty || !failed.isEmpty || settlement.releasesRest else { return }
        try await harness.store.settle(settlement)
        let position = position(of: name)
        for offset in finished {
            models[position]?.finish(offset, of: held.lease.epoch)
        }
        for (offset, due) in failed {
            models[position]?.reject(offset, of: held.lease.epoch, until: due)
        }
        if settlement.releasesRest {
            models[position]?.end(held.lease.epoch, countsAttempt: false)
        }
        if models[position]?.held[held.lease.epoch] == nil {
            ended.append(held.lease)
        }
    }

    private mutating func release(_ name: String) async throws {
        guard let held = liveLeases(of: name).randomElement(using: &random) else { return }
        try await harness.store.release(held.lease)
        let position = position(of: name)
        models[position]?.end(held.lease.epoch, countsAttempt: false)
        ended.append(held.lease)
    }

    /// Whatever is done with a lease that has ended is refused; ``compare()`` sees that nothing was changed.
    private mutating func useEndedLease() async throws {
        guard let lease = ended.randomElement(using: &random) else { return }
        try await requireError(.leaseExpired, .alreadySettled, .consumerReplaced, from: "using an ended lease") {
            try await harness.store.acknowledge(lease)
        }
    }

    private mutating func heartbeat(_ name: String) async throws {
        guard let consumer = consumers[name] else { return }
        let extends = Bool.random(using: &random)
        expireAll()
        try await harness.store.heartbeat(consumer, extending: extends ? .all : .none)
        if extends {
            let position = position(of: name)
            let deadline = harness.clock.uptime + Self.visibility
            models[position]?.extend(by: consumer, to: deadline)
        }
    }

    private mutating func takeOver(_ name: String, unregistersFirst: Bool) async throws {
        let position = position(of: name)
        expireAll()
        if unregistersFirst, let consumer = consumers[name] {
            try await harness.store.unregisterConsumer(consumer)
        }
        for held in liveLeases(of: name) {
            models[position]?.end(held.lease.epoch, countsAttempt: true)
            ended.append(held.lease)
        }
        consumers[name] = try await harness.register(name, of: subscription)
    }

    // MARK: - Comparing

    private mutating func expireAll() {
        let uptime = harness.clock.uptime
        for position in models.keys {
            let before = models[position]?.held ?? [:]
            models[position]?.expire(at: uptime)
            for (epoch, held) in before where models[position]?.held[epoch] == nil {
                ended.append(held.lease)
            }
        }
    }

    private mutating func compare() async throws {
        expireAll()
        for progress in try await harness.store.progress(of: subscription.id) {
            let model = models[progress.consumer?.rawValue ?? ""] ?? PositionModel()
            try requireEqual(progress.position.rawValue, model.position, "position of \(progress)")
            try requireEqual(progress.inFlight, model.inFlight, "in flight in \(progress)")
            try requireEqual(progress.head.rawValue, length, "head of \(progress)")
        }
    }

    private mutating func liveLeases(of name: String) -> [PositionModel.Held] {
        expireAll()
        let all = models[position(of: name)]?.held.values.filter { $0.lease.holder == consumers[name] } ?? []
        return all.sorted { $0.lease.epoch < $1.lease.epoch }
    }

    private func ranges(_ offsets: some Sequence<Int64>) -> [Range<StreamOffset>] {
        offsets.sorted().map { StreamOffset($0)..<StreamOffset($0 + 1) }
    }
}
