import EventStreamingTesting
import Testing

@testable import EventStreaming

@Suite("Health: what moves, and what does not", .timeLimit(.minutes(5)))
struct HealthTests {
    private let bench: HealthBench

    init() throws {
        bench = try HealthBench()
    }

    // MARK: - Nothing is the matter

    @Test(
        "an idle subscription is ok, however long", arguments: [SubscriptionMode.exclusive, .broadcast, .consumerGroup])
    func idle(_ mode: SubscriptionMode) async throws {
        let streaming = try await bench.makeService(mode)
        let consumer = try await bench.register("a")
        let began = bench.clock.now
        try await streaming.place(1...3)
        while case .lease(let lease) = try await bench.store.dequeue(as: consumer, limit: 10) {
            try await bench.store.acknowledge(lease)
        }
        _ = try await streaming.health(of: "mail")
        try await bench.pass(600, streaming)
        let health = try await streaming.health(of: "mail")
        #expect(health.status == .ok)
        #expect(health.cause == nil)
        #expect(health.findings.isEmpty)
        #expect(health.since == began)
        #expect(health.measures?.consumers == 1)
        #expect(health.measures?.lagSeconds == 0)
    }

    @Test("work that moves is ok, however slowly, as long as something is finished in time")
    func slow() async throws {
        let streaming = try await bench.makeService { $0.health.lagTime = nil }
        let consumer = try await bench.register("a")
        try await streaming.place(1...20)
        for _ in 1...10 {
            let held = try await bench.lease(1, as: consumer)
            try await bench.pass(50, streaming)
            #expect(try await streaming.health(of: "mail").status == .ok)
            try await bench.store.acknowledge(held)
        }
    }

    @Test("what is finished beyond a stuck event counts as movement")
    func outOfOrder() async throws {
        let streaming = try await bench.makeService { $0.health.lagTime = nil }
        let (stuck, other) = (try await bench.register("a"), try await bench.register("b"))
        try await streaming.place(1...20)
        _ = try await bench.lease(1, as: stuck)
        for _ in 1...10 {
            try await bench.store.acknowledge(try await bench.lease(1, as: other))
            try await bench.pass(50, streaming)
            #expect(try await streaming.health(of: "mail").status == .ok)
        }
        #expect(try await streaming.position()?.position == .zero)
    }

    // MARK: - Stalled

    @Test("a handler that finishes nothing is named, with its event and since when")
    func busy() async throws {
        let streaming = try await bench.makeService()
        let consumer = try await bench.register("slow")
        try await streaming.place(1...5)
        try await bench.store.acknowledge(try await bench.lease(1, as: consumer))
        _ = try await bench.lease(2, as: consumer)
        _ = try await streaming.health(of: "mail")
        let began = bench.clock.now
        try await bench.pass(50, streaming)
        #expect(try await streaming.health(of: "mail").status == .ok)
        try await bench.pass(10, streaming)
        let health = try await streaming.health(of: "mail")
        #expect(health.status == .stalled)
        let held = HeldEvent(offset: StreamOffset(1), consumer: try ConsumerID("slow"), attempt: 1)
        #expect(health.cause == .handlerBusy(held))
        #expect(health.since == began)
        #expect(health.message.contains("'slow'") && health.message.contains("offset 1"))
        try await bench.pass(300, streaming)
        #expect(try await streaming.health(of: "mail").since == began)
    }

    @Test("events that all failed and wait say until when, and what the error was")
    func backOff() async throws {
        let streaming = try await bench.makeService {
            $0.retry.initialDelay = .seconds(600)
            $0.retry.maximumDelay = .seconds(600)
        }
        let consumer = try await bench.register("a")
        try await streaming.place(1...2)
        let lease = try await bench.lease(2, as: consumer)
        let failed = bench.clock.now
        try await bench.store.nack(lease.offsets, of: lease, reason: "no stamps")
        _ = try await streaming.health(of: "mail")
        try await bench.pass(60, streaming)
        let health = try await streaming.health(of: "mail")
        #expect(health.status == .stalled)
        let next = RetriedEvent(
            offset: .zero, attempts: 1, due: failed + .seconds(600), reason: "no stamps", lastFailure: failed)
        #expect(health.cause == .backOff(events: 2, next: next))
        #expect(health.message.contains("no stamps"))
        #expect(health.since == failed)
    }

    @Test("a poison event that holds up its key in a group is named, when there is nothing else to do")
    func poisonInGroup() async throws {
        let streaming = try await bench.makeService(.consumerGroup) {
            $0.retry.initialDelay = .seconds(600)
            $0.retry.maximumDelay = .seconds(600)
        }
        let consumer = try await bench.register("a")
        let workflow = try WorkflowID("order-1")
        for number in 1...3 {
            try await streaming.emitter.emit(OrderPlaced(number: number), in: workflow)
        }
        let lease = try await bench.lease(1, as: consumer)
        try await bench.store.nack(lease.offsets, of: lease, reason: "poison")
        guard case .empty = try await bench.store.dequeue(as: consumer, limit: 10) else {
            Issue.record("An event came before its predecessor was finished.")
            return
        }
        _ = try await streaming.health(of: "mail")
        try await bench.pass(60, streaming)
        guard case .backOff(events: 3, let next) = try await streaming.health(of: "mail").cause else {
            Issue.record("The cause is another one.")
            return
        }
        #expect(next.offset == .zero)
        #expect(next.reason == "poison")
    }

    @Test("a poison event becomes a dead letter, which is movement, and then nothing is the matter")
    func poison() async throws {
        let streaming = try await bench.makeService {
            $0.retry.maximumAttempts = 3
            $0.retry.initialDelay = .seconds(70)
        }
        let consumer = try await bench.register("a")
        try await streaming.place([1])
        var statuses: [HealthStatus] = []
        for attempt in 1...3 {
            let lease = try await bench.lease(1, as: consumer)
            #expect(lease.attempt == attempt)
            try await bench.store.nack(lease.offsets, of: lease, reason: "poison")
            try await bench.pass(140, streaming)
            statuses.append(try await streaming.health(of: "mail").status)
        }
        #expect(statuses == [.stalled, .stalled, .ok])
        #expect(try await streaming.health(of: "mail").measures?.deadLetters == 1)
    }

    @Test("consumers that are connected and ask for nothing are told, and who they are")
    func notFetching() async throws {
        let streaming = try await bench.makeService()
        _ = try await bench.register("a")
        _ = try await bench.register("b")
        try await streaming.place(1...2)
        _ = try await streaming.health(of: "mail")
        let began = bench.clock.now
        try await bench.pass(60, streaming)
        let health = try await streaming.health(of: "mail")
        #expect(health.status == .stalled)
        #expect(health.cause == .notFetching([try ConsumerID("a"), try ConsumerID("b")]))
        #expect(health.since == began)
    }

    @Test("a redriven event that nobody finishes stalls too")
    func redriven() async throws {
        let streaming = try await bench.makeService()
        let consumer = try await bench.register("a")
        try await streaming.place([1])
        let lease = try await bench.lease(1, as: consumer)
        try await bench.store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "no")
        try await bench.pass(120, streaming)
        #expect(try await streaming.health(of: "mail").status == .ok)
        try await streaming.redriveDeadLetters(of: "mail")
        _ = try await streaming.health(of: "mail")
        try await bench.pass(60, streaming)
        #expect(try await streaming.health(of: "mail").status == .stalled)
        try await bench.store.acknowledge(try await bench.lease(1, as: consumer))
        #expect(try await streaming.health(of: "mail").status == .ok)
    }

    @Test("what goes and stops and goes is stalled only while it stops, each time since it stopped")
    func flapping() async throws {
        let streaming = try await bench.makeService { $0.health.lagTime = nil }
        let consumer = try await bench.register("a")
        try await streaming.place(1...10)
        for _ in 1...3 {
            let held = try await bench.lease(1, as: consumer)
            let began = bench.clock.now
            _ = try await streaming.health(of: "mail")
            try await bench.pass(60, streaming)
            let health = try await streaming.health(of: "mail")
            #expect(health.status == .stalled)
            #expect(health.since == began)
            try await bench.store.acknowledge(held)
            let better = try await streaming.health(of: "mail")
            #expect(better.status == .ok)
            #expect(better.since == bench.clock.now)
        }
    }

    @Test("events that come after a long idle time do not count as stalled at once")
    func workAfterIdleTime() async throws {
        let streaming = try await bench.makeService()
        _ = try await bench.register("a")
        try await bench.pass(600, streaming)
        try await streaming.place([1])
        try await bench.pass(60, streaming)
        #expect(try await streaming.health(of: "mail").status == .ok)
        try await bench.pass(10, streaming)
        #expect(try await streaming.health(of: "mail").status == .stalled)
    }
}
