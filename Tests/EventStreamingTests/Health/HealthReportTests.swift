import EventStreamingTesting
import Testing

@testable import EventStreaming

@Suite("Health: who is there, how far behind, and outages", .timeLimit(.minutes(5)))
struct HealthReportTests {
    private let bench: HealthBench

    init() throws {
        bench = try HealthBench()
    }

    // MARK: - Nobody

    @Test(
        "nobody who consumes is told, also when there is nothing to do",
        arguments: [SubscriptionMode.exclusive, .broadcast, .consumerGroup])
    func nobody(_ mode: SubscriptionMode) async throws {
        let streaming = try await bench.makeService(mode)
        let began = bench.clock.now
        var health = try await streaming.health(of: "mail")
        #expect(health.status == .noOwner)
        #expect(health.cause == .noConsumer(lastSeen: nil))
        #expect(health.since == began)
        bench.clock.advance(by: .seconds(100))
        let consumer = try await bench.register("a")
        #expect(try await streaming.health(of: "mail").status == .ok)
        bench.clock.advance(by: .seconds(100))
        try await bench.store.heartbeat(consumer, extending: .all)
        let seen = bench.clock.now
        try await bench.store.unregisterConsumer(consumer)
        bench.clock.advance(by: .seconds(100))
        health = try await streaming.health(of: "mail")
        #expect(health.status == .noOwner)
        #expect(health.cause == .noConsumer(lastSeen: seen))
        #expect(health.since == seen)
        #expect(health.measures?.consumers == 0)
    }

    @Test("a consumer that restarts is gone for as long as it is, and never stalled for that")
    func restart() async throws {
        let streaming = try await bench.makeService { $0.consumerTimeout = .seconds(30) }
        try await streaming.place(1...5)
        var consumer = try await bench.register("a")
        try await bench.store.acknowledge(try await bench.lease(1, as: consumer))
        let seen = bench.clock.now
        try await bench.pass(20, streaming)
        #expect(try await streaming.health(of: "mail").status == .ok)
        try await bench.pass(20, streaming)
        let health = try await streaming.health(of: "mail")
        #expect(health.status == .noOwner)
        #expect(health.since == seen)
        consumer = try await bench.register("a")
        try await bench.store.acknowledge(try await bench.lease(1, as: consumer))
        let back = try await streaming.health(of: "mail")
        #expect(back.status == .ok)
        #expect(back.since == bench.clock.now)
    }

    @Test("in broadcast mode each consumer counts by itself: one that stays away is named")
    func away() async throws {
        let streaming = try await bench.makeService(.broadcast)
        let (present, absent) = (try await bench.register("present"), try await bench.register("absent"))
        let seen = bench.clock.now
        try await bench.store.unregisterConsumer(absent)
        try await streaming.place(1...3)
        try await bench.store.acknowledge(try await bench.lease(3, as: present))
        _ = try await streaming.health(of: "mail")
        try await bench.pass(50, streaming)
        #expect(try await streaming.health(of: "mail").status == .ok)
        try await bench.pass(10, streaming)
        let health = try await streaming.health(of: "mail")
        #expect(health.status == .stalled)
        #expect(health.cause == .consumerAway(absent.consumer, lastSeen: seen))
        #expect(health.findings.map(\.consumer) == [absent.consumer])
        #expect(health.since == seen)
        _ = try await streaming.removeConsumer("absent", of: "mail")
        #expect(try await streaming.health(of: "mail").status == .ok)
    }

    // MARK: - Parked

    @Test(
        "events behind a dead letter of their key are told, and stall what has nothing else to do, until somebody acts")
    func parked() async throws {
        let streaming = try await bench.makeService(.consumerGroup) { $0.keepsOrder = true }
        let consumer = try await bench.register("a")
        let workflow = try WorkflowID("order-1")
        for number in 1...3 {
            try await streaming.emitter.emit(OrderPlaced(number: number), in: workflow)
        }
        let lease = try await bench.lease(1, as: consumer)
        try await bench.store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "poison")
        guard case .empty = try await bench.store.dequeue(as: consumer, limit: 10) else {
            Issue.record("An event came before the dead letter of its key.")
            return
        }
        let began = bench.clock.now
        var health = try await streaming.health(of: "mail")
        #expect(health.status == .lagging)
        #expect(health.cause == .parked(keys: 1, events: 2))
        #expect(health.measures?.parkedKeys == 1)
        try await bench.pass(60, streaming)
        health = try await streaming.health(of: "mail")
        #expect(health.status == .stalled)
        #expect(health.cause == .parked(keys: 1, events: 2))
        #expect(health.since == began)
        let selection = try await streaming.selectDeadLetters(of: "mail")
        try await streaming.discard(selection, by: AuditNote(by: "ada", because: "a test"))
        try await bench.store.acknowledge(try await bench.lease(1, as: consumer))
        #expect(try await streaming.health(of: "mail").status == .ok)
    }

    // MARK: - Lagging

    @Test("too many events are lagging, since they were seen")
    func lagEvents() async throws {
        let streaming = try await bench.makeService { $0.health.lagEvents = 5 }
        let consumer = try await bench.register("a")
        try await streaming.place(1...5)
        let began = bench.clock.now
        var health = try await streaming.health(of: "mail")
        #expect(health.status == .lagging)
        #expect(health.cause == .behind(events: 5, oldest: began))
        bench.clock.advance(by: .seconds(10))
        try await streaming.place(6...9)
        try await bench.store.acknowledge(try await bench.lease(1, as: consumer))
        health = try await streaming.health(of: "mail")
        #expect(health.status == .lagging)
        #expect(health.since == began)
        try await bench.store.acknowledge(try await bench.lease(4, as: consumer))
        #expect(try await streaming.health(of: "mail").status == .ok)
    }

    @Test("too old events are lagging, since the oldest was too old")
    func lagTime() async throws {
        let streaming = try await bench.makeService {
            $0.health.lagTime = .seconds(100)
            $0.health.stallTime = .seconds(10_000)
        }
        let consumer = try await bench.register("a")
        try await streaming.place([1])
        let appended = bench.clock.now
        bench.clock.advance(by: .seconds(50))
        try await streaming.place([2])
        bench.clock.advance(by: .seconds(49))
        #expect(try await streaming.health(of: "mail").status == .ok)
        bench.clock.advance(by: .seconds(21))
        let health = try await streaming.health(of: "mail")
        #expect(health.status == .lagging)
        #expect(health.cause == .behind(events: 2, oldest: appended))
        #expect(health.since == appended + .seconds(100))
        #expect(health.measures?.lagSeconds == 120)
        try await bench.store.acknowledge(try await bench.lease(1, as: consumer))
        let better = try await streaming.health(of: "mail")
        #expect(better.status == .ok)
        #expect(better.measures?.lagSeconds == 70)
    }

    @Test("what is not limited is never lagging")
    func noLimits() async throws {
        let streaming = try await bench.makeService {
            $0.health.lagTime = nil
            $0.health.lagEvents = nil
            $0.health.stallTime = .seconds(100_000)
            $0.consumerTimeout = .seconds(1_000_000)
        }
        _ = try await bench.register("a")
        try await streaming.place(0..<20_000)
        bench.clock.advance(by: .seconds(90_000))
        #expect(try await streaming.health(of: "mail").status == .ok)
    }

    // MARK: - Outage

    @Test(
        "a store that cannot be asked is told, since when, and afterwards the time without movement begins anew",
        arguments: [FaultInjectingStore.Operation.progress, .consumers, .read]
    )
    func outage(_ operation: FaultInjectingStore.Operation) async throws {
        let streaming = try await bench.makeService { $0.health.lagTime = nil }
        let consumer = try await bench.register("a")
        try await streaming.place(1...3)
        _ = try await bench.lease(1, as: consumer)
        try await bench.pass(50, streaming)
        bench.store.fail(operation, with: HealthBench.unavailable)
        let began = bench.clock.now
        var health = try await streaming.health(of: "mail")
        #expect(health.status == .stalled)
        #expect(health.cause == .storeUnavailable(error: "not now"))
        #expect(health.since == began)
        #expect(health.measures?.lag == 3)
        try await bench.pass(500, streaming)
        health = try await streaming.health(of: "mail")
        #expect(health.since == began)
        bench.store.heal()
        #expect(try await streaming.health(of: "mail").status == .ok)
        try await bench.pass(60, streaming)
        #expect(try await streaming.health(of: "mail").status == .stalled)
    }

    @Test("a store that was never there is told, with nothing measured, and nothing is thrown")
    func neverThere() async throws {
        bench.store.fail(.createStream, with: HealthBench.unavailable)
        let streaming = try makeOrders(storage: .shared(bench.store), clock: bench.clock)
        let report = await streaming.health()
        #expect(report.status == .stalled)
        #expect(report.subscriptions.map(\.measures) == [nil])
        bench.store.heal()
        #expect(await streaming.health().status == .noOwner)
    }

    // MARK: - Reports

    @Test("a report has all subscriptions, the worst of all, and can be written as JSON and read back")
    func report() async throws {
        let streaming = try makeOrders(
            storage: .shared(bench.store), clock: bench.clock, mail: { $0.mode = .exclusive },
            also: { streaming in
                streaming.addSubscription("audit") { subscription in
                    subscription.stream(OrderWorkflow.self)
                    subscription.mode = .exclusive
                }
            })
        _ = try await streaming.progress(of: "mail")
        _ = try await bench.register("a")
        let report = await streaming.health()
        #expect(report.subscriptions.map(\.subscription.rawValue) == ["audit", "mail"])
        #expect(report.subscriptions.map(\.status) == [.noOwner, .ok])
        #expect(report.status == .noOwner)
        #expect(report.time == bench.clock.now)
        let bytes = try JSONText.encode(report, as: "a report")
        #expect(try JSONText.decode(HealthReport.self, from: bytes, as: "a report") == report)
    }

    @Test("a service without subscriptions is ok; an unknown subscription is refused")
    func unknown() async throws {
        let streaming = try EventStreaming { _ in }
        #expect(await streaming.health().status == .ok)
        #expect(await errorCode { _ = try await streaming.health(of: "nothing") } == .unknownSubscription)
        #expect(await errorCode { _ = try await streaming.health(of: "a b") } == .invalidName)
    }

    @Test("another process that looks gets the same answer, of what the store knows")
    func twoProcesses() async throws {
        let streaming = try await bench.makeService()
        let tool = try await bench.makeService()
        let consumer = try await bench.register("a")
        try await streaming.place(1...5)
        _ = try await bench.lease(1, as: consumer)
        for _ in 0...6 {
            let (one, other) = (try await streaming.health(of: "mail"), try await tool.health(of: "mail"))
            #expect(one == other)
            bench.clock.advance(by: .seconds(10))
        }
        #expect(try await tool.health(of: "mail").status == .stalled)
    }

    @Test("a service that runs looks by itself, so that the first question is answered with what was seen before")
    func running() async throws {
        let (latch, started) = (Latch(), Journal<Int>())
        let streaming = try makeOrders(
            storage: .shared(bench.store), clock: bench.clock,
            mail: { subscription in
                subscription.handle { delivery in
                    started.add(delivery.number)
                    try await latch.wait()
                }
            })
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...3)
            try await started.wait(for: 1)
            for _ in 1...14 {
                try await inTime { try await bench.clock.waitForSleepers(1) }
                bench.clock.advance(by: .seconds(5))
            }
            try await inTime { try await bench.clock.waitForSleepers(1) }
            let health = try await streaming.health(of: "mail")
            #expect(health.status == .stalled)
            guard case .handlerBusy(let held) = health.cause else {
                Issue.record("The cause is \(String(describing: health.cause)).")
                return
            }
            #expect(held.consumer.rawValue == "mail")
            latch.open()
            try await streaming.settled("mail")
            #expect(try await streaming.health(of: "mail").status == .ok)
        }
    }
}
