import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import InMemoryLogging
import Logging
import MetricsTestKit
import Testing

@Suite("Retention", .timeLimit(.minutes(5)))
struct RetentionTests {
    private let clock = ManualClock()
    private let metrics = TestMetrics()
    private let log = InMemoryLogHandler()
    private let store: FaultInjectingStore

    init() {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
    }

    private func configure(_ streaming: inout EventStreamingBuilder, _ retention: RetentionPolicy) {
        let log = log
        streaming.options.clock = clock
        streaming.options.metrics = metrics
        streaming.options.logger = Logger(label: "test") { _ in log }
        streaming.options.logger.logLevel = .debug
        streaming.options.retentionInterval = .seconds(600)
        streaming.addStream(OrderWorkflow.self) { stream in
            stream.type = .persistent
            stream.retention = retention
        }
        streaming.addSubscription("mail") { subscription in
            subscription.stream(OrderWorkflow.self)
            subscription.mode = .exclusive
        }
    }

    private func makeService(_ retention: RetentionPolicy) throws -> EventStreaming {
        try EventStreaming(storage: .shared(store)) { configure(&$0, retention) }
    }

    /// Waits until the policy was applied so often, and nothing of it is still to be done.
    private func waitForRounds(_ count: Int) async throws {
        let store = store
        try await inTime(.seconds(60), "the retention was not applied \(count) times") {
            while store.callCount(of: .applyRetention) < count {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    @Test("is applied when asked for, and tells what it removed")
    func byHand() async throws {
        let streaming = try makeService(.maxCount(3))
        try await streaming.place(1...5)
        let result = try await streaming.applyRetention(to: "order-events")
        #expect(result.removed == StreamOffset(0)..<StreamOffset(2))
        #expect(result.missed == [MissedEvents(subscription: try SubscriptionID("mail"), count: 2)])
        let metadata = try await streaming.metadata(of: "order-events")
        #expect(metadata.count == 3)
        #expect(metadata.length == 5)
        #expect(metadata.retention == .maxCount(3))
        #expect(try await streaming.applyRetention(to: "order-events").count == 0)
        #expect(try await streaming.take(3, as: "c1") == [3, 4, 5].seen)
    }

    @Test("of streams that are not there, or have bad names")
    func unknown() async throws {
        let streaming = try makeService(.forever)
        #expect(await errorCode { try await streaming.applyRetention(to: "nowhere") } == .unknownStream)
        #expect(await errorCode { try await streaming.applyRetention(to: "no where") } == .invalidName)
    }

    @Test("is applied in the background, at the start and in every interval")
    func background() async throws {
        let (store, clock) = (store, clock)
        let streaming = try makeService(.maxAge(.hours(1)))
        try await streaming.place(1...2)
        clock.advance(by: .hours(2))
        try await streaming.place(3...3)
        try await withRunning(streaming) {
            try await waitForRounds(1)
            try await waitForFirst(2, of: streaming)
            clock.advance(by: .seconds(599))
            #expect(store.callCount(of: .applyRetention) == 1)
            for round in 2...8 {
                try await inTime(.seconds(60), "the service does not wait") { try await clock.waitForSleepers(1) }
                clock.advance(by: .seconds(600))
                try await waitForRounds(round)
            }
            try await waitForFirst(3, of: streaming)
        }
    }

    @Test("goes on after a store could not be reached, and says so")
    func failure() async throws {
        let (store, clock) = (store, clock)
        store.fail(
            .applyRetention,
            with: EventStreamingError(.storeUnavailable, "No store."),
            on: .nextCalls(1)
        )
        let streaming = try makeService(.maxCount(1))
        try await streaming.place(1...4)
        try await withRunning(streaming) {
            try await waitForRounds(1)
            #expect(try await streaming.metadata(of: "order-events").count == 4)
            try await inTime(.seconds(60), "the service does not wait") { try await clock.waitForSleepers(1) }
            clock.advance(by: .seconds(600))
            try await waitForFirst(3, of: streaming)
        }
        let warnings = log.entries.filter { $0.level == .warning }.map(\.message.description)
        #expect(warnings.first?.contains("could not be applied") == true)
        #expect(warnings.contains { $0.contains("removed events that a subscription had not finished") })
    }

    @Test("is not applied where no stream has a policy")
    func nothingToDo() async throws {
        let streaming = try makeService(.forever)
        let store = store
        try await withRunning(streaming) {
            try await streaming.place(1...1)
            _ = try await streaming.take(1, as: "c1")
        }
        #expect(store.callCount(of: .applyRetention) == 0)
    }

    @Test("is measured: what was removed, and what was missed")
    func measured() async throws {
        let streaming = try makeService(.maxCount(2))
        try await streaming.place(1...7)
        _ = try await streaming.take(1, as: "c1")
        try await streaming.applyRetention(to: "order-events")
        let stream = [("stream", "order-events")]
        let subscription = [("subscription", "mail"), ("stream", "order-events")]
        #expect(try metrics.expectCounter("event_streaming_retention_removed_total", stream).totalValue == 5)
        #expect(try metrics.expectCounter("event_streaming_missed_events_total", subscription).totalValue == 4)
    }

    // MARK: - Parts

    private func waitForFirst(_ offset: Int64, of streaming: EventStreaming) async throws {
        try await inTime(.seconds(60), "the events before \(offset) were not removed") {
            while try await streaming.metadata(of: "order-events").first.rawValue != offset {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    private func withRunning(_ streaming: EventStreaming, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await streaming.run() }
            do {
                try await body()
            } catch {
                group.cancelAll()
                throw error
            }
            streaming.beginShutdown()
            try await group.waitForAll()
        }
    }
}
