import CQRS
import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Metrics
import MetricsTestKit
import Testing

@Suite("Metrics", .timeLimit(.minutes(5)))
struct MetricsTests {
    private let metrics = TestMetrics()
    private let clock = ManualClock()

    private static let sending = [
        ("messaging.system", "event_streaming"),
        ("messaging.operation.name", "send"),
        ("messaging.operation.type", "send"),
        ("messaging.destination.name", "order-events"),
    ]

    private static func receiving(_ operation: String) -> [(String, String)] {
        [
            ("messaging.system", "event_streaming"),
            ("messaging.operation.name", operation),
            ("messaging.operation.type", operation),
            ("messaging.destination.name", "order-events"),
            ("messaging.destination.subscription.name", "mail"),
        ]
    }

    private static let own = [("subscription", "mail"), ("stream", "order-events")]

    private func makeService(
        mail: (inout SubscriptionConfiguration) -> Void = { _ in }
    ) throws -> EventStreaming {
        let metrics = metrics
        return try makeOrders(
            clock: clock,
            mail: mail,
            also: { streaming in
                streaming.options.metrics = metrics
                streaming.options.limits.maximumPayloadBytes = 1000
            }
        )
    }

    @Test("events sent are counted, with how long it took")
    func sent() async throws {
        let streaming = try makeService()
        try await streaming.place(1...7)
        try await streaming.place([8])
        #expect(try metrics.expectCounter("messaging.client.sent.messages", Self.sending).totalValue == 8)
        #expect(try metrics.expectTimer("messaging.client.operation.duration", Self.sending).values.count == 2)
    }

    @Test("failed sends are counted by their code, and not as sent")
    func failed() async throws {
        let streaming = try makeService()
        let tooLarge = OrderPlaced(number: 1, note: String(repeating: "x", count: 2000))
        #expect(await errorCode { try await streaming.emitter.emit(tooLarge) } == .payloadTooLarge)
        #expect(
            await errorCode {
                try await streaming.emitter.emit(OrderPlaced(number: 1), expecting: .exists)
            } == .wrongExpectedVersion
        )
        for code in ["payloadTooLarge", "wrongExpectedVersion"] {
            let dimensions = Self.sending + [("error.type", "eventStreaming.\(code)")]
            #expect(try metrics.expectCounter("messaging.client.sent.messages", dimensions).totalValue == 1)
        }
        #expect(try metrics.expectCounter("messaging.client.sent.messages", Self.sending).totalValue == 0)
    }

    @Test("events consumed, redelivered and rejected are counted, and the time of every handling is recorded")
    func consumed() async throws {
        let clock = clock
        let streaming = try makeService { subscription in
            subscription.retry.maximumAttempts = 3
            subscription.handle { delivery in
                clock.advance(by: .milliseconds(250))
                if delivery.number == 5 { throw Failure() }
            }
        }
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...10)
            try await streaming.settled("mail", advancing: clock)
        }
        let consumed = try metrics.expectCounter("messaging.client.consumed.messages", Self.receiving("receive"))
        #expect(consumed.totalValue == 12)
        #expect(try metrics.expectCounter("event_streaming_redeliveries_total", Self.own).totalValue == 2)
        #expect(try metrics.expectCounter("event_streaming_rejections_total", Self.own).totalValue == 3)
        let durations = try metrics.expectTimer("messaging.process.duration", Self.receiving("process")).values
        #expect(durations.count == 12)
        #expect(durations.allSatisfy { $0 == 250_000_000 })
    }

    @Test("lag, events in flight and dead letters are reported while the service runs, and are true")
    func gauges() async throws {
        let (clock, latch, started) = (clock, Latch(), Journal<Int>())
        let streaming = try makeService { subscription in
            subscription.prefetch = 4
            subscription.handle { delivery in
                started.add(delivery.number)
                if delivery.number == 1 { try await delivery.reject(.deadLetter) }
                if delivery.number == 2 { try await latch.wait() }
            }
        }
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...20)
            try await started.wait(for: 2)
            try await measure(clock)
            let position = try #require(try await streaming.position())
            #expect(position.lag == 19)
            let lag = try metrics.expectGauge("event_streaming_subscription_lag_events", Self.own)
            #expect(lag.lastValue == 19)
            let inFlight = try metrics.expectGauge("event_streaming_subscription_in_flight", Self.own)
            #expect(inFlight.lastValue == Double(position.inFlight))
            #expect(try metrics.expectGauge("event_streaming_dead_letters", Self.own).lastValue == 1)
            latch.open()
            try await streaming.settled("mail")
            try await measure(clock)
            #expect(lag.lastValue == 0)
            #expect(inFlight.lastValue == 0)
        }
    }

    @Test("how a subscription does is reported: lag in seconds, waiting, consumers, status and changes of owners")
    func health() async throws {
        let (clock, metrics, started) = (clock, metrics, Journal<Int>())
        let store = InMemoryEventStreamStore(clock: clock)
        let streaming = try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.retry.initialDelay = .seconds(100)
                subscription.retry.maximumDelay = .seconds(100)
                subscription.retry.jitter = 0
                subscription.handle { delivery in
                    started.add(delivery.number)
                    throw Failure()
                }
            },
            also: { $0.options.metrics = metrics }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            try await started.wait(for: 1)
            try await streaming.wait { try await $0.position()?.waiting == 1 }
            for _ in 1...2 {
                try await measure(clock)
            }
            func value(_ name: String) throws -> Double? {
                try metrics.expectGauge("event_streaming_\(name)", Self.own).lastValue
            }
            #expect(try value("subscription_waiting") == 1)
            #expect(try value("subscription_consumers") == 1)
            #expect(try value("subscription_status") == 0)
            #expect(try #require(try value("subscription_lag_seconds")) >= 5)
            for _ in 1...14 {
                try await measure(clock)
            }
            #expect(try value("subscription_status") == 2)
            _ = try await store.registerConsumer(
                ConsumerID("another"), of: SubscriptionID("mail"), kind: .durable, start: nil)
            for _ in 1...2 {
                try await measure(clock)
            }
            #expect(try value("subscription_consumers") == 2)
        }
        #expect(try metrics.expectCounter("event_streaming_lease_changes_total", Self.own).totalValue >= 1)
    }

    /// Has the housekeeping take its round.
    private func measure(_ clock: ManualClock) async throws {
        try await inTime { try await clock.waitForSleepers(1) }
        clock.advance(by: .seconds(5))
        try await inTime { try await clock.waitForSleepers(1) }
    }

    @Test("the middleware measures commands and queries by name and outcome")
    func middleware() async throws {
        struct Fail: Command {}
        let (clock, middleware) = (clock, MetricsMiddleware(factory: metrics, clock: clock))
        let streaming = try EventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.commands.use(middleware)
            streaming.commands.on(PlaceOrder.self, in: OrderWorkflow.self) { _, workflow in
                clock.advance(by: .milliseconds(40))
                return workflow.id
            }
            streaming.commands.on(Fail.self) { _ in throw Failure() }
        }
        _ = try await streaming.commands.send(PlaceOrder(number: 1))
        _ = try await streaming.commands.send(PlaceOrder(number: 2))
        await #expect(throws: Failure()) { try await streaming.commands.send(Fail()) }
        let good = [("kind", "command"), ("name", PlaceOrder.commandName), ("outcome", "ok")]
        let bad = [("kind", "command"), ("name", Fail.commandName), ("outcome", "error")]
        #expect(metrics.counterTotal(label: "event_streaming_messages_total", dimensions: good) == 2)
        #expect(metrics.counterTotal(label: "event_streaming_messages_total", dimensions: bad) == 1)
        let durations = metrics.timers(label: "event_streaming_message_duration", dimensions: good).flatMap(\.values)
        #expect(durations == [40_000_000, 40_000_000])
    }
}
