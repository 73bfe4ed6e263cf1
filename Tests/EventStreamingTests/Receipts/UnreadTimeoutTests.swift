import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import InMemoryLogging
import Logging
import MetricsTestKit
import Testing

@Suite("Read receipts: what is unread for too long", .timeLimit(.minutes(5)))
struct UnreadTimeoutTests {
    private static let day = Duration.seconds(86_400)
    private let clock = ManualClock()
    private let metrics = TestMetrics()
    private let log = InMemoryLogHandler()
    private let store: FaultInjectingStore

    init() {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
    }

    private func makeService(
        _ policy: UnreadPolicy?,
        timeout: Duration? = day,
        interval: Duration = .seconds(60),
        notes: (inout SubscriptionConfiguration) -> Void = { _ in },
        stream: (inout StreamConfiguration) -> Void = { _ in }
    ) throws -> EventStreaming {
        let (log, metrics) = (log, metrics)
        return try EventStreaming(storage: .shared(store)) { streaming in
            streaming.options.clock = clock
            streaming.options.metrics = metrics
            streaming.options.logger = Logger(label: "test") { _ in log }
            streaming.options.logger.logLevel = .debug
            streaming.options.unreadInterval = interval
            streaming.addStream(OrderWorkflow.self) { configuration in
                configuration.type = .persistent
                stream(&configuration)
            }
            streaming.addSubscription("notes") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .readReceipt
                subscription.onUnreadTimeout = timeout
                subscription.onUnreadExpired = policy
                // The signs of life of nobody, as far apart as the rounds.
                subscription.consumerTimeout = .seconds(3600)
                notes(&subscription)
            }
        }
    }

    /// Lets the background work take a round, after so much time.
    private func round(after time: Duration, sleepers: Int = 2) async throws {
        let clock = clock
        try await inTime(.seconds(60), "the service does not wait") { try await clock.waitForSleepers(sleepers) }
        clock.advance(by: time)
        try await inTime(.seconds(60), "the service does not wait again") { try await clock.waitForSleepers(sleepers) }
    }

    // MARK: - Policies

    @Test("by default it is delivered again, until its attempts are used up, and is then in the dead letters")
    func requeue() async throws {
        let streaming = try makeService(nil) { $0.retry.maximumAttempts = 3 }
        try await streaming.place(1...3)
        #expect(try await streaming.show(3, to: "ada") == (1...3).seen)
        let ids = try await streaming.ids()
        try await streaming.markAsRead(ids[1], of: "notes", by: "ada")
        try await withRunning(streaming) {
            for attempt in 2...3 {
                try await round(after: Self.day)
                #expect(try await streaming.unreadNumbers(of: "ada") == [1, 3])
                #expect(try await streaming.unread(of: "notes", for: "ada").allSatisfy(\.isRequeued))
                let again = try await streaming.show(2, to: "ada")
                #expect(again.map(\.number) == [1, 3])
                #expect(try await streaming.receipt(ids[0], of: "ada")?.deliveries == attempt)
            }
            try await round(after: Self.day)
            #expect(try await streaming.unreadNumbers(of: "ada") == [])
            let letters = try await streaming.deadLetters(of: "notes")
            #expect(letters.map(\.event.id) == [ids[0], ids[2]])
            #expect(letters.map(\.consumer?.rawValue) == ["ada", "ada"])
            #expect(letters.map(\.attempts) == [3, 3])
        }
        #expect(expired("requeue") == 4)
        #expect(expired("deadLetter") == 2)
        #expect(expired("drop") == 0)
    }

    @Test("it goes to the dead letters, and can be redriven to its user, who has as much time again")
    func deadLetter() async throws {
        let streaming = try makeService(.deadLetter)
        try await streaming.place(1...2)
        _ = try await streaming.show(2, to: "ada")
        try await withRunning(streaming) {
            try await round(after: Self.day)
            #expect(try await streaming.unreadNumbers(of: "ada") == [])
            #expect(try await streaming.redriveDeadLetters(of: "notes") == 2)
            #expect(try await streaming.show(2, to: "ada").map(\.number) == [1, 2])
            #expect(try await streaming.unreadNumbers(of: "ada") == [1, 2])
            try await round(after: Self.day - .seconds(120))
            #expect(try await streaming.markAsRead(try await streaming.ids()[0], of: "notes", by: "ada"))
            try await round(after: .seconds(120))
            #expect(try await streaming.unreadNumbers(of: "ada") == [])
            #expect(try await streaming.deadLetters(of: "notes").map(\.event.offset.rawValue) == [1])
        }
    }

    @Test("it is given up, and counted")
    func drop() async throws {
        let streaming = try makeService(.drop)
        try await streaming.place(1...5)
        for user in ["ada", "bob"] {
            _ = try await streaming.show(5, to: user)
        }
        try await streaming.markAllAsRead(of: "notes", by: "bob")
        try await withRunning(streaming) {
            try await round(after: Self.day)
            #expect(try await streaming.unreadNumbers(of: "ada") == [])
            let ids = try await streaming.ids()
            #expect(try await streaming.receipts(for: ids[0], in: "notes").map(\.status) == [.expired, .read])
            #expect(try await streaming.deadLetters(of: "notes").isEmpty)
        }
        #expect(expired("drop") == 5)
        let line = log.entries.first { $0.message.description.contains("unread for too long") }
        #expect(line?.level == .info)
        #expect(line?.metadata["dropped"] == "5")
        #expect(line?.metadata["subscription"] == "notes")
    }

    @Test("not before its time, each event by its own")
    func times() async throws {
        let streaming = try makeService(.drop)
        try await streaming.place(1...2)
        _ = try await streaming.show(1, to: "ada")
        clock.advance(by: .seconds(3600))
        _ = try await streaming.show(1, to: "ada")
        try await withRunning(streaming) {
            try await round(after: Self.day - .seconds(3601))
            #expect(try await streaming.unreadNumbers(of: "ada") == [1, 2])
            try await round(after: .seconds(60))
            #expect(try await streaming.unreadNumbers(of: "ada") == [2])
            try await round(after: .seconds(3600))
            #expect(try await streaming.unreadNumbers(of: "ada") == [])
        }
    }

    @Test("for ever where no time-out is set")
    func noTimeout() async throws {
        let streaming = try makeService(nil, timeout: nil)
        try await streaming.place(1...2)
        _ = try await streaming.show(2, to: "ada")
        try await withRunning(streaming) {
            try await round(after: Self.day * 1000)
            #expect(try await streaming.unreadNumbers(of: "ada") == [1, 2])
        }
        #expect(store.callCount(of: .expireUnread) == 0)
    }

    @Test("a waiting loop gets what is delivered again")
    func waitingLoop() async throws {
        let (streaming, seen, clock) = (try makeService(.requeue), Journal<Seen>(), clock)
        try await streaming.place(1...2)
        try await withRunning(streaming) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await delivery in try streaming.subscribe(to: "notes", as: "ada") {
                        // The second time is a reminder.
                        if seen.count >= 2 { try await delivery.markAsRead() }
                        seen.add(Seen(delivery))
                    }
                }
                try await seen.wait(for: 2)
                try await streaming.wait { try await $0.unreadCount(of: "notes", for: "ada") == 2 }
                try await inTime { try await clock.waitForSleepers(2) }
                clock.advance(by: Self.day)
                try await seen.wait(for: 4)
                #expect(Set(seen.entries.suffix(2).map(\.number)) == [1, 2])
                streaming.beginShutdown()
                try await group.waitForAll()
            }
        }
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
    }

    // MARK: - The service

    @Test("is done in steps, and only reads where there is nothing to do")
    func steps() async throws {
        let streaming = try makeService(.drop)
        try await streaming.place(1...1200)
        _ = try await streaming.show(1200, to: "ada")
        try await withRunning(streaming) {
            try await round(after: .seconds(60))
            #expect(store.callCount(of: .expireUnread) == 0)
            #expect(store.callCount(of: .acquireLocks) == 0)
            try await round(after: Self.day)
            #expect(try await streaming.unreadCount(of: "notes", for: "ada") == 0)
            // 500, 500, 200 and none.
            #expect(store.callCount(of: .expireUnread) == 4)
            try await round(after: .seconds(60))
            #expect(store.callCount(of: .expireUnread) == 4)
        }
    }

    @Test(
        "is repeated after the store could not be reached, and says so",
        arguments: [
            FaultInjectingStore.Operation.expiredUnreadReceipts, .expireUnread, .acquireLocks,
        ])
    func failure(_ operation: FaultInjectingStore.Operation) async throws {
        let streaming = try makeService(.drop)
        try await streaming.place(1...2)
        _ = try await streaming.show(2, to: "ada")
        clock.advance(by: Self.day)
        store.fail(operation, with: EventStreamingError(.storeUnavailable, "No store."), on: .nextCalls(1))
        try await withRunning(streaming) {
            try await inTime { [clock] in try await clock.waitForSleepers(2) }
            #expect(try await streaming.unreadNumbers(of: "ada") == [1, 2])
            try await round(after: .seconds(60))
            #expect(try await streaming.unreadNumbers(of: "ada") == [])
        }
        let warnings = log.entries.filter { $0.level == .warning }.map(\.message.description)
        #expect(warnings.first?.contains("could not be dealt with") == true)
    }

    @Test("is left to one of several services")
    func severalServices() async throws {
        let streaming = try makeService(.deadLetter)
        try await streaming.place(1...100)
        for user in 0..<5 {
            _ = try await streaming.show(100, to: "user-\(user)")
        }
        clock.advance(by: Self.day)
        let others = try (0..<3).map { _ in try makeService(.deadLetter) }
        let gate = store.hold(.expireUnread, on: .nextCalls(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in others {
                group.addTask { try await service.run() }
            }
            try await inTime { try await gate.waitForArrivals(1) }
            // The others have found the lock taken, and wait for their next round.
            try await inTime { [clock] in try await clock.waitForSleepers(5) }
            #expect(store.callCount(of: .expireUnread) == 1)
            gate.release()
            try await inTime { [clock] in try await clock.waitForSleepers(6) }
            for service in others { service.beginShutdown() }
            try await group.waitForAll()
        }
        #expect(try await streaming.deadLetters(of: "notes", limit: 10_000).count == 500)
        #expect(expired("deadLetter") == 500)
    }

    @Test("ends with the service, also in the middle of a step, and the next one goes on")
    func shutdown() async throws {
        let streaming = try makeService(.drop)
        try await streaming.place(1...1200)
        _ = try await streaming.show(1200, to: "ada")
        clock.advance(by: Self.day)
        let gate = store.hold(.expireUnread, on: .nextCalls(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await streaming.run() }
            try await inTime { try await gate.waitForArrivals(1) }
            streaming.beginShutdown()
            gate.release()
            try await group.waitForAll()
        }
        let left = try await streaming.unreadCount(of: "notes", for: "ada")
        #expect(left == 700 || left == 1200)
        try await withRunning(try makeService(.drop)) {
            try await inTime { [clock] in try await clock.waitForSleepers(2) }
            #expect(try await streaming.unreadCount(of: "notes", for: "ada") == 0)
        }
    }

    @Test("receipts of events that are gone are removed, once for each trim")
    func cleanUp() async throws {
        let streaming = try makeService(nil, timeout: nil)
        try await streaming.place(1...10)
        _ = try await streaming.show(10, to: "ada")
        try await withRunning(streaming) {
            try await round(after: .seconds(60))
            #expect(store.callCount(of: .cleanUpReceipts) == 0)
            try await streaming.trim("order-events", before: StreamOffset(10))
            try await round(after: .seconds(60))
            let count = store.callCount(of: .cleanUpReceipts)
            #expect(count == 2)
            #expect(try await streaming.unreadNumbers(of: "ada") == [])
            try await round(after: .seconds(60))
            #expect(store.callCount(of: .cleanUpReceipts) == count)
        }
        #expect(log.entries.contains { $0.message.description.contains("Receipts of events that are gone") })
    }

    @Test("nothing of it is done where no subscription keeps receipts")
    func nothingToDo() async throws {
        let store = store
        let streaming = try makeOrders(storage: .shared(store), clock: clock)
        try await withRunning(streaming) { try await round(after: Self.day, sleepers: 1) }
        #expect(store.callCount(of: .expiredUnreadReceipts) == 0)
        #expect(store.callCount(of: .cleanUpReceipts) == 0)
    }

    // MARK: - Metrics

    @Test("what is unread is measured, in all and by how many users")
    func gauges() async throws {
        let streaming = try makeService(nil)
        try await streaming.place(1...10)
        _ = try await streaming.show(10, to: "ada")
        clock.advance(by: .seconds(30))
        _ = try await streaming.show(4, to: "bob")
        _ = try await streaming.show(1, to: "cleo")
        try await streaming.markAllAsRead(of: "notes", by: "cleo")
        try await withRunning(streaming) {
            try await round(after: .seconds(60))
            #expect(try gauge("event_streaming_unread_events") == 14)
            #expect(try gauge("event_streaming_unread_events_of_one_consumer") == 10)
            #expect(try gauge("event_streaming_unread_consumers") == 2)
            #expect(try gauge("event_streaming_unread_oldest_seconds") == 90)
            try await streaming.markAllAsRead(of: "notes", by: "ada")
            try await streaming.markAllAsRead(of: "notes", by: "bob")
            try await round(after: .seconds(60))
            for name in ["events", "events_of_one_consumer", "consumers", "oldest_seconds"] {
                #expect(try gauge("event_streaming_unread_\(name)") == 0)
            }
        }
    }

    private static let own = [("subscription", "notes"), ("stream", "order-events")]

    private func gauge(_ name: String) throws -> Double? {
        try metrics.expectGauge(name, Self.own).lastValue
    }

    private func expired(_ policy: String) -> Int64? {
        let dimensions = Self.own + [("policy", policy)]
        return metrics.counterTotal(label: "event_streaming_unread_expired_total", dimensions: dimensions)
    }
}
